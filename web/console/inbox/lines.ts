// The list as lines with a place each, so that only those in sight are drawn. Pure; pixels.

import type { SectionKey, Sections } from "../state/order";

interface Place {
  key: string;
  top: number;
  bottom: number;
}

export type Line = Place &
  (
    | {
        kind: "heading";
        section: SectionKey /** Undefined while it is not known. */;
        count: string | undefined;
      }
    | { kind: "row"; id: string }
    | { kind: "none"; section: SectionKey }
    | { kind: "ghost"; section: SectionKey }
    | { kind: "failed"; section: SectionKey }
    | { kind: "fold"; hidden: number }
  );

type Bare = Line extends infer One ? (One extends Place ? Omit<One, keyof Place> : never) : never;

export type LoadState = "fresh" | "loading" | "more" | "whole" | "failed";

interface Options {
  folded: boolean;
  sources: Record<SectionKey, LoadState>;
}

const HEIGHTS: Record<Line["kind"], number> = {
  heading: 38,
  row: 72,
  none: 30,
  ghost: 72,
  failed: 40,
  fold: 36,
};
/** Who waits for a customer for long folds after so many. */
const SHOWN_IDLE = 10;
const GHOSTS = 3;
const BEYOND = 400;

export function layOut(keys: readonly SectionKey[], sections: Sections, options: Options): Line[] {
  const lines: Line[] = [];
  const put = (key: string, line: Bare) => {
    const top = lines.at(-1)?.bottom ?? 0;
    lines.push({ ...line, key, top, bottom: top + HEIGHTS[line.kind] } as Line);
  };
  for (const section of keys) {
    const ids = sections[section];
    if (keys.length > 1)
      put(section, {
        kind: "heading",
        section,
        count: countOf(ids.length, options.sources[section]),
      });
    const shown = section === "customer" && options.folded ? ids.slice(0, SHOWN_IDLE) : ids;
    for (const id of shown) put(id, { kind: "row", id });
    putState(put, section, ids.length, options.sources[section]);
    if (section === "customer" && ids.length > SHOWN_IDLE)
      put("fold", { kind: "fold", hidden: ids.length - shown.length });
  }
  return lines;
}

/** What is loading may be more than what stands there. */
export function countOf(known: number, state: LoadState): string | undefined {
  if (state === "whole") return String(known);
  return known ? `${known}${state === "failed" ? "" : "+"}` : undefined;
}

function putState(
  put: (key: string, line: Bare) => void,
  section: SectionKey,
  count: number,
  state: LoadState,
): void {
  if (state === "failed") put(`${section} failed`, { kind: "failed", section });
  else if (count) return;
  else if (state === "whole") put(`${section} none`, { kind: "none", section });
  else for (let one = 0; one < GHOSTS; one++) put(`${section} ${one}`, { kind: "ghost", section });
}

export function linesIn(lines: readonly Line[], top: number, height: number): Line[] {
  const from = firstBelow(lines, top - BEYOND);
  const to = firstBelow(lines, top + height + BEYOND);
  return lines.slice(from, to + 1);
}

function firstBelow(lines: readonly Line[], height: number): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle]?.bottom ?? 0) <= height) low = middle + 1;
    else high = middle;
  }
  return low;
}
