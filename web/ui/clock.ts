/** The answer clock: how long somebody has waited, against what was promised. Pure; times in milliseconds. */

export type ClockState = "calm" | "soon" | "late" | "unknown";

export interface Wait {
  /** 0…1: how much of the promise has gone. */
  share: number;
  state: ClockState;
  seconds: number;
}

const SOON = 0.6;

export function measureWait(since: number, now: number, promiseSeconds: number): Wait {
  const seconds = Math.max(0, Math.floor((now - since) / 1000));
  const share = Math.min(1, seconds / promiseSeconds);
  return { share, state: share >= 1 ? "late" : share >= SOON ? "soon" : "calm", seconds };
}

export interface DurationWords {
  second: string;
  minute: string;
  hour: string;
  day: string;
}

/** "21 s", from a minute "1:12", from an hour "3 u 05", from a day "2 d". */
export function sayWait(seconds: number, words: DurationWords): string {
  if (seconds < 60) return `${seconds} ${words.second}`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${twoDigits(seconds % 60)}`;
  return sayLong(seconds, words);
}

/** For a conversation in which nobody waits: whole minutes, without haste. */
export function sayAgo(seconds: number, words: DurationWords): string {
  if (seconds < 60) return `< 1 ${words.minute}`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} ${words.minute}`;
  return sayLong(seconds, words);
}

function sayLong(seconds: number, words: DurationWords): string {
  const hours = Math.floor(seconds / 3600);
  if (hours >= 24) return `${Math.floor(hours / 24)} ${words.day}`;
  return `${hours} ${words.hour} ${twoDigits(Math.floor((seconds % 3600) / 60))}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
