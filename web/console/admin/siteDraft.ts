// What an administrator has changed of a site and not put live: it stands in this browser and nowhere else.

import { readKeptJson, writeKept } from "../state/kept";
import type { Site } from "./sites";

export interface Wish extends Omit<Site, "origins"> {
  /** One address on each line, as typed. */
  origins: string;
}

interface Kept {
  wish: Wish;
  /** What was live when the change was begun. */
  base: Wish;
}

/** The site as form; keys are kept at once and are no part of it. */
export function asWish(site: Site): Wish {
  const { accent, accent_asked, shape, position, offset } = site.look;
  const look = { shape, position, offset, accent: accent_asked ?? accent };
  return { ...site, look, origins: site.origins.join("\n"), keys: [] };
}

/** What was left here, on top of what is live by now: a colleague may have put something live meanwhile. */
export function readDraft(live: Wish): Wish {
  const kept = readKeptJson<Kept>(`site.${live.id}`);
  return kept?.base && kept.wish ? rebase(kept.wish, kept.base, live) : live;
}

export function keepDraft(wish: Wish, live: Wish): void {
  const kept = countChanges(wish, live) ? JSON.stringify({ wish, base: live }) : null;
  writeKept(`site.${live.id}`, kept);
}

/** Of each field what was wished, where it was changed; else what is live. */
export function rebase<Value>(wish: Value, base: Value, live: Value): Value {
  if (!isObject(wish) || !isObject(base) || !isObject(live))
    return isSame(wish, base) ? live : wish;
  const names = new Set([...Object.keys(live), ...Object.keys(wish)]);
  return Object.fromEntries(
    [...names].map((name) => [name, rebase(wish[name], base[name], live[name])]),
  ) as Value;
}

/** How many fields differ; a text in another language is a field of its own. */
export function countChanges(one: unknown, other: unknown): number {
  if (!isObject(one) && !isObject(other)) return isSame(one ?? "", other ?? "") ? 0 : 1;
  const [left, right] = [fieldsOf(one), fieldsOf(other)];
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].reduce((sum, name) => sum + countChanges(left[name], right[name]), 0);
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
