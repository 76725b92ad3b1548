// Lucide's lines (ISC), only those that the panel draws.

const ROUND = "M2 12a10 10 0 1 0 20 0a10 10 0 1 0-20 0";
const EYES = "M15 10V9M9 10V9";

const LINES = {
  x: "M18 6 6 18M6 6l12 12",
  back: "m15 18-6-6 6-6",
  next: "m9 18 6-6-6-6",
  more: "M11 12a1 1 0 1 0 2 0a1 1 0 1 0-2 0M18 12a1 1 0 1 0 2 0a1 1 0 1 0-2 0M4 12a1 1 0 1 0 2 0a1 1 0 1 0-2 0",
  clip: "m16 6-8.4 8.6a2 2 0 0 0 2.8 2.8l8.4-8.6a4 4 0 1 0-5.6-5.6l-8.4 8.5a6 6 0 1 0 8.5 8.5l8.4-8.5",
  camera:
    "M14.5 4h-5L7 7H4a2 2 0 0 0-2 2v9a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2V9a2 2 0 0 0-2-2h-3zM9 13a3 3 0 1 0 6 0 3 3 0 0 0-6 0",
  send: "m5 12 7-7 7 7M12 19V5",
  check: "M20 6 9 17l-5-5",
  checks: "M18 6 7 17l-5-5M22 10l-7.5 7.5L13 16",
  person: "M12 13a5 5 0 1 0 0-10 5 5 0 0 0 0 10ZM20 21a8 8 0 0 0-16 0",
  clock: `${ROUND}M12 6v6l4 2`,
  alert: `${ROUND}M12 8v4M12 16h.01`,
  file: "M6 22a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2h8l6 6v12a2 2 0 0 1-2 2zM14 2v6h6M16 13H8M16 17H8",
  history: "M3 12a9 9 0 1 0 9-9 9.75 9.75 0 0 0-6.74 2.74L3 8M3 3v5h5M12 7v5l4 2",
  cut: "M12 20h.01M8.5 16.4a5 5 0 0 1 7 0M5 12.9a10 10 0 0 1 5.2-2.7M19 12.9a10 10 0 0 0-2-1.5M2 8.8a15 15 0 0 1 4.2-2.6M22 8.8a15 15 0 0 0-11.3-3.8M2 2l20 20",
  1: `${ROUND}${EYES}M9 16a5 5 0 0 1 6 0`,
  2: `${ROUND}M14 10h2M8 10h2M8 16h8`,
  3: `${ROUND}${EYES}M8 16h8`,
  4: `${ROUND}${EYES}M16.5 15a6 6 0 0 1-9 0`,
  5: `${ROUND}${EYES}M7.3 14h9.4a5 5 0 0 1-9.4 0z`,
};

export type IconName = keyof typeof LINES;

export function Icon({ name, small }: { name: IconName; small?: boolean }) {
  return (
    <svg class={small ? "i i-s" : "i"} viewBox="0 0 24 24" aria-hidden="true">
      <path d={LINES[name]} />
    </svg>
  );
}
