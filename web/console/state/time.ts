// Clocks run on the server's time; the screen looks once a second.

import { signal } from "@preact/signals";

let ahead = 0;

/** Changes once a second: what shows seconds depends on it. */
export const second = signal(Date.now());

export function setServerTime(now: number): void {
  ahead = now - Date.now();
  second.value = serverNow();
}

export function serverNow(): number {
  return Date.now() + ahead;
}

setInterval(() => {
  if (document.visibilityState === "visible") second.value = serverNow();
}, 1000);

document.addEventListener("visibilitychange", () => {
  second.value = serverNow();
});
