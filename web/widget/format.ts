// Times and sizes in words. Making an Intl format is slow, so each is made once.

import { boot, say } from "./boot";

/** The reader's own way with dates, where it is of the panel's language. */
const locale =
  navigator.languages.find((tag) => tag.split("-")[0] === boot.language) ?? boot.language;

const made = new Map<string, Intl.DateTimeFormat>();

function format(at: number, options: Intl.DateTimeFormatOptions): string {
  const key = JSON.stringify(options);
  let maker = made.get(key);
  if (!maker) {
    maker = new Intl.DateTimeFormat(locale, options);
    made.set(key, maker);
  }
  return maker.format(at);
}

export const clockTime = (at: number) => format(at, { hour: "numeric", minute: "2-digit" });

/** Midnights passed since then, by the visitor's own calendar. */
function daysAgo(at: number, now: number): number {
  const midnight = (time: number) => new Date(time).setHours(0, 0, 0, 0);
  return Math.round((midnight(now) - midnight(at)) / 86_400_000);
}

export const timeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** For names of files, which sort by it: 2026-11-22. */
export const isoDay = (at: number) => new Date(at).toLocaleDateString("sv");

export const sameDay = (one: number, other: number) => daysAgo(one, other) === 0;

export function dayName(at: number, now: number): string {
  const days = daysAgo(at, now);
  if (days < 2) return say(days ? "yesterday" : "today");
  return capital(format(at, { weekday: "long", day: "numeric", month: "long" }));
}

/** For lists: the time today, the weekday this week, else the date. */
export function shortTime(at: number, now: number): string {
  const days = daysAgo(at, now);
  if (!days) return clockTime(at);
  return format(at, days < 7 ? { weekday: "long" } : { day: "numeric", month: "short" });
}

export function waited(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  return seconds < 60
    ? say("seconds", { n: seconds })
    : say("minutes", { n: Math.floor(seconds / 60) });
}

/** The number and its unit stay on one line. */
export function size(bytes: number): string {
  const [amount, unit] =
    bytes < 999_500 ? [Math.max(1, bytes / 1_000), "kB"] : [bytes / 1_000_000, "MB"];
  const digits = unit === "MB" && amount < 10 ? 1 : 0;
  return `${amount.toLocaleString(locale, { maximumFractionDigits: digits })}\u00a0${unit}`;
}

export const scoreNames = () => say("scores").split("|");

/** How a conversation was, the same words wherever it is said. */
export const rated = (score: number) =>
  say("rated", { n: (scoreNames()[score - 1] ?? `${score}`).toLowerCase() });

export const firstName = (name = "") => name.split(" ")[0] as string;

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
