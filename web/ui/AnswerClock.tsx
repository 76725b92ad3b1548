import type { ClockState, DurationWords, Wait } from "./clock";
import { sayAgo, sayWait } from "./clock";

const RADIUS = 22;
const LENGTH = 2 * Math.PI * RADIUS;

/** A ring around a face: full when the promise is over. It never speaks alone, `Seconds` says the same. */
export function AnswerClock({ share, state }: { share: number; state: ClockState }) {
  const dashes =
    state === "unknown"
      ? {}
      : { "stroke-dasharray": LENGTH, "stroke-dashoffset": LENGTH * (1 - share) };
  return (
    <svg class={`clock ${state}`} viewBox="0 0 48 48" aria-hidden="true">
      <circle class="track" cx="24" cy="24" r={RADIUS} />
      <circle class="share" cx="24" cy="24" r={RADIUS} {...dashes} />
    </svg>
  );
}

interface SecondsProps {
  wait: Wait | null;
  /** Without a wait: seconds since the last message. */
  ago: number;
  words: DurationWords;
}

export function Seconds({ wait, ago, words }: SecondsProps) {
  if (!wait) return <span class="seconds">{sayAgo(ago, words)}</span>;
  if (wait.state === "unknown") return null;
  return <span class={`seconds ${wait.state}`}>{sayWait(wait.seconds, words)}</span>;
}
