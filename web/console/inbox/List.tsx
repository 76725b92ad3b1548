import { useSignal, useSignalEffect } from "@preact/signals";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button } from "../../ui/buttons";
import { KeyHint } from "../../ui/marks";
import { takeFirst } from "../state/acts";
import { findRow, held, loadMore, loads, sections, sourceOf, type View } from "../state/inbox";
import { say, settings } from "../state/me";
import type { SectionKey } from "../state/order";
import { ConversationRow } from "./ConversationRow";
import { type Line, layOut, linesIn } from "./lines";

const KEYS: Record<View, SectionKey[]> = {
  open: ["mine", "queue", "customer"],
  team: ["team"],
  closed: ["closed"],
};

/** Only the rows in sight are drawn. Who has been idle longest folds away. */
export function List({ view, current }: { view: View; current: string | null }) {
  const box = useRef<HTMLDivElement>(null);
  const scroll = useSignal({ top: 0, height: 900 });
  const unfolded = useSignal(false);
  const keys = KEYS[view];
  const toggle = useCallback(() => {
    unfolded.value = !unfolded.peek();
  }, []);
  const lines = useLines(keys, unfolded.value);
  const total = lines.at(-1)?.bottom ?? 0;
  const inSight = linesIn(lines, scroll.value.top, scroll.value.height);
  const drawn = useTurns(inSight);

  useEffect(() => {
    for (const key of keys) {
      const source = sourceOf[key];
      if (source && loads[source].peek().state === "fresh" && view !== "open") loadMore(source);
    }
  }, [view]);
  useHold(box);
  useMoves(box);
  useSignalEffect(() => {
    const { top, height } = scroll.value;
    if (top + height > total - 600) for (const key of keys) loadRest(key);
  });
  useEffect(() => {
    const element = box.current;
    if (element) scroll.value = { top: element.scrollTop, height: element.clientHeight };
  }, [view]);
  useEffect(() => reveal(box.current, lines, current), [current]);

  return (
    <div
      ref={box}
      class="scroll"
      onScroll={(event) => {
        const { scrollTop, clientHeight: height } = event.currentTarget;
        const top = Math.round(scrollTop / STEP) * STEP;
        if (top !== scroll.peek().top || height !== scroll.peek().height)
          scroll.value = { top, height };
      }}
    >
      <div class="rows" style={{ height: `${total}px` }}>
        {inSight.map((line) =>
          drawn.has(line.key) ? (
            <ListLine key={line.key} line={line} view={view} current={current} toggle={toggle} />
          ) : (
            <div key={line.key} class="ghost" style={{ top: `${line.top}px` }} aria-hidden="true" />
          ),
        )}
      </div>
    </div>
  );
}

interface ListLineProps {
  line: Line;
  view: View;
  current: string | null;
  toggle: () => void;
}

function ListLine({ line, view, current, toggle }: ListLineProps) {
  const { inbox, again } = say();
  const style = { top: `${line.top}px` };
  switch (line.kind) {
    case "heading":
      return (
        <h3 class="section" style={style}>
          {inbox.sections[line.section]} <span class="number">{line.count}</span>
          {line.section === "queue" && line.count && line.count !== "0" && <TakeHint />}
        </h3>
      );
    case "none":
      return (
        <p class="none" style={style}>
          {inbox.none[line.section]}
        </p>
      );
    case "ghost":
      return <div class="ghost" style={style} aria-hidden="true" />;
    case "failed":
      return (
        <div class="none" style={style} role="alert">
          {inbox.failed}{" "}
          <Button kind="plain" size="small" onClick={() => loadAgain(line.section)}>
            {again}
          </Button>
        </div>
      );
    case "fold":
      return (
        <button type="button" class="fold" style={style} onClick={toggle}>
          {line.hidden ? inbox.more(line.hidden) : inbox.fold}
        </button>
      );
    case "row": {
      const row = findRow(line.id);
      return row ? (
        <ConversationRow row={row} top={line.top} current={line.id === current} view={view} />
      ) : null;
    }
  }
}

function TakeHint() {
  return (
    <button type="button" class="take-hint" onClick={() => takeFirst()}>
      {say().inbox.take} {settings.value.single_keys && <KeyHint>T</KeyHint>}
    </button>
  );
}

/** The same lines while nothing changed, so that scrolling draws only what comes into sight. */
function useLines(keys: readonly SectionKey[], unfolded: boolean): Line[] {
  const sources = statesOf(keys);
  const now = sections.value;
  return useMemo(
    () => layOut(keys, now, { folded: !unfolded, sources }),
    [keys, now, unfolded, Object.values(sources).join()],
  );
}

/** Rows that come into sight in a frame; the others follow in the next, so that none is held up. */
const A_FRAME = 4;
const AT_ONCE = 30;

function useTurns(lines: readonly Line[]): Set<string> {
  const before = useRef<Set<string> | null>(null);
  const [, redraw] = useState(0);
  const turn = new Set<string>();
  let room = before.current ? A_FRAME : AT_ONCE;
  for (const { kind, key } of lines)
    if (kind !== "row" || before.current?.has(key) || room-- > 0) turn.add(key);
  before.current = turn;
  const waits = turn.size < lines.length;
  useEffect(() => {
    if (!waits) return;
    const frame = requestAnimationFrame(() => redraw((count) => count + 1));
    return () => cancelAnimationFrame(frame);
  });
  return turn;
}

function statesOf(keys: readonly SectionKey[]) {
  return Object.fromEntries(
    keys.map((key) => [key, loads[sourceOf[key] ?? "mine"].value.state]),
  ) as Record<SectionKey, "fresh" | "loading" | "more" | "whole" | "failed">;
}

function loadRest(key: SectionKey): void {
  const source = sourceOf[key];
  if (source && loads[source].value.state === "more") loadMore(source);
}

function loadAgain(key: SectionKey): void {
  const source = sourceOf[key];
  if (source) loadMore(source);
}

function reveal(box: HTMLElement | null, lines: readonly Line[], id: string | null): void {
  const line = lines.find((one) => one.kind === "row" && one.id === id);
  if (!box || !line) return;
  if (line.top < box.scrollTop) box.scrollTop = line.top - 40;
  else if (line.bottom > box.scrollTop + box.clientHeight)
    box.scrollTop = line.bottom - box.clientHeight + 8;
}

/** Pixels between two looks at what is in sight. */
const STEP = 180;
const SETTLE = 400;
const RESTING = 3_000;

/**
 * While the pointer is over the list, rows stay where they are; they settle a moment after it left. A hand
 * that has gone to the keyboard, or rests, does not aim at anything any more.
 */
function useHold(box: { current: HTMLElement | null }): void {
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const letGo = (after: number) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        held.value = false;
      }, after);
    };
    const hold = (event: PointerEvent) => {
      if (event.pointerType === "touch") return;
      held.value = true;
      letGo(RESTING);
    };
    const left = () => letGo(SETTLE);
    const typed = () => held.peek() && letGo(SETTLE);
    element.addEventListener("pointermove", hold);
    element.addEventListener("pointerleave", left);
    addEventListener("keyup", typed);
    return () => {
      clearTimeout(timer);
      held.value = false;
      element.removeEventListener("pointermove", hold);
      element.removeEventListener("pointerleave", left);
      removeEventListener("keyup", typed);
    };
  }, []);
}

/** A row that got another place goes there in one movement, and keeps the focus. */
function useMoves(box: { current: HTMLElement | null }): void {
  const places = useRef(new Map<string, number>());
  const focused = useRef<string | null>(null);
  useEffect(() => {
    const note = (event: FocusEvent) => {
      focused.current = (event.target as HTMLElement).dataset.id ?? null;
    };
    addEventListener("focusin", note);
    return () => removeEventListener("focusin", note);
  }, []);
  useLayoutEffect(() => {
    const now = new Map<string, number>();
    for (const row of box.current?.querySelectorAll<HTMLElement>(".row") ?? []) {
      const id = row.dataset.id as string;
      const top = Number.parseFloat(row.style.top);
      const before = places.current.get(id);
      if (before !== undefined && before !== top) slide(row, before - top);
      now.set(id, top);
      if (focused.current === id && document.activeElement === document.body)
        row.focus({ preventScroll: true });
    }
    places.current = now;
  });
}

function slide(row: HTMLElement, from: number): void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  row.animate([{ transform: `translateY(${from}px)` }, { transform: "none" }], {
    duration: 180,
    easing: "cubic-bezier(0.2, 0, 0, 1)",
  });
}
