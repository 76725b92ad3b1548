// The answer clock: a ring round whoever answers. Closed: there is somebody. Running: we owe an answer.

import { site } from "../boot";

export type ClockState = "kept" | "run" | "away" | "off";

interface Person {
  id?: string;
  name?: string;
  picture?: string;
}

const STROKE = { s: 2.5, m: 3 };
const SIZE = { s: 44, m: 52 };

export function Clock({
  state,
  turn = 1,
  person,
  size = "s",
}: {
  state: ClockState;
  /** How far the ring is, 0…1. */
  turn?: number;
  person?: Person | undefined;
  size?: "s" | "m";
}) {
  const middle = SIZE[size] / 2;
  const circle = { cx: middle, cy: middle, r: middle - STROKE[size] / 2, pathLength: 1 };
  return (
    <span class={`clock clock-${size}`} data-clock={state}>
      <svg class="ring" viewBox={`0 0 ${SIZE[size]} ${SIZE[size]}`} aria-hidden="true">
        <circle class="track" {...circle} />
        <circle class="hand" {...circle} stroke-dasharray={`${turn} 1`} />
      </svg>
      <Face person={person} />
    </span>
  );
}

/** A picture, else initials on a colour of one's own; the house's mark when nobody is meant. */
export function Face({ person }: { person?: Person | undefined }) {
  if (person?.picture) return <img class="face" src={person.picture} alt="" />;
  if (!person?.name) return <span class="face face-house">{initials(site.name)}</span>;
  return (
    <span class="face" data-hue={hue(person.id ?? person.name)}>
      {initials(person.name)}
    </span>
  );
}

export function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const first = words[0] ?? "";
  if (words.length < 2) return first.slice(0, 2);
  return `${[...first][0]}${[...(words[words.length - 1] as string)][0]}`.toUpperCase();
}

/** One of six hues that the style sheet knows, the same for the same person. */
function hue(id: string): number {
  let sum = 0;
  for (const sign of id) sum = (sum * 31 + sign.charCodeAt(0)) % 997;
  return sum % 6;
}
