// The order of the list. Pure: rows in, ids out.

import type { Row } from "../../protocol/types";

export type SectionKey = "mine" | "queue" | "customer" | "team" | "closed";
export type Sections = Record<SectionKey, string[]>;

export const PROMISE_SECONDS = 60;

export function sectionOf(row: Row, agent: string): SectionKey {
  if (row.status === "closed") return "closed";
  if (!row.agent) return "queue";
  if (row.agent.id !== agent) return "team";
  return row.waiting_since === undefined ? "customer" : "mine";
}

/** Late first with the longest wait on top, then by time left; who does not wait, latest first. */
export function arrange(rows: Iterable<Row>, agent: string): Sections {
  const sections: Record<SectionKey, Row[]> = {
    mine: [],
    queue: [],
    customer: [],
    team: [],
    closed: [],
  };
  for (const row of rows) sections[sectionOf(row, agent)].push(row);
  return {
    mine: idsBy(sections.mine, byWait),
    queue: idsBy(sections.queue, byWait),
    customer: idsBy(sections.customer, byLatest),
    team: idsBy(sections.team, byWait),
    closed: idsBy(sections.closed, byClosing),
  };
}

function idsBy(rows: Row[], compare: (one: Row, other: Row) => number): string[] {
  return rows
    .sort((one, other) => compare(one, other) || compareIds(one, other))
    .map((row) => row.id);
}

/** One promise for all: who waits longest is late first and has the least time left. */
function byWait(one: Row, other: Row): number {
  const [a, b] = [one.waiting_since, other.waiting_since];
  if (a !== undefined && b !== undefined) return a - b;
  if (a === undefined && b === undefined) return byLatest(one, other);
  return a === undefined ? 1 : -1;
}

function byLatest(one: Row, other: Row): number {
  return latestOf(other) - latestOf(one);
}

function byClosing(one: Row, other: Row): number {
  return (other.closed_at ?? 0) - (one.closed_at ?? 0);
}

export function latestOf(row: Row): number {
  return row.last_message?.at ?? row.started_at;
}

function compareIds(one: Row, other: Row): number {
  return one.id < other.id ? -1 : 1;
}

/** Higher `last_seq` wins; at equal ones the later heard. */
export function supersedes(next: Row, known: Row | undefined): boolean {
  return !known || next.last_seq >= known.last_seq;
}

/**
 * The order to show while rows may not move: as it stood, also of those who belong in another section by now,
 * without what is gone and with what is new at the end of its section.
 */
export function holdStill(shown: Sections, wanted: Sections): Sections {
  const present = new Set(Object.values(wanted).flat());
  const standing = new Set(Object.values(shown).flat());
  const held = {} as Sections;
  for (const key of Object.keys(wanted) as SectionKey[])
    held[key] = [
      ...shown[key].filter((id) => present.has(id)),
      ...wanted[key].filter((id) => !standing.has(id)),
    ];
  return held;
}
