// The answer clock: a ring round whoever answers. Closed: there is somebody. Running: we owe an answer, and its
// hand goes round once a minute. It never fills up, for nobody has promised when.

import { hueOf, initialsOf } from "../../ui/person";
import { site } from "../boot";

export type ClockState = "kept" | "run" | "away" | "off";

interface Person {
  name?: string;
  picture?: string;
}

const MINUTE = 60_000;
const STROKE = { s: 2.5, m: 3 };
const SIZE = { s: 44, m: 52 };

export function Clock({
  state,
  waiting = 0,
  person,
  size = "s",
}: {
  state: ClockState;
  /** For how long, ms. */
  waiting?: number | undefined;
  person?: Person | undefined;
  size?: "s" | "m";
}) {
  const middle = SIZE[size] / 2;
  const circle = { cx: middle, cy: middle, r: middle - STROKE[size] / 2, pathLength: 1 };
  return (
    <span class={`clock clock-${size}`} data-clock={state}>
      <svg class="ring" viewBox={`0 0 ${SIZE[size]} ${SIZE[size]}`} aria-hidden="true">
        <circle class="track" {...circle} />
        <circle
          class="hand"
          {...circle}
          stroke-dasharray={state === "run" ? ".25 .75" : 1}
          stroke-dashoffset={-waiting / MINUTE}
        />
      </svg>
      <Face person={person} />
    </span>
  );
}

/** A picture, else initials on a colour of one's own; the house's mark when nobody is meant. */
export function Face({ person }: { person?: Person | undefined }) {
  if (person?.picture) return <img class="face" src={person.picture} alt="" />;
  if (!person?.name) return <span class="face face-house">{initialsOf(site.name)}</span>;
  return (
    <span class="face" style={{ "--hue": hueOf(person.name) }}>
      {initialsOf(person.name)}
    </span>
  );
}
