// What one event looks like beside its neighbours: does it open a day, does it open or end a group?

import type { Author, WireEvent } from "../../protocol/types";
import { isSameDay } from "../../ui/intl";

type Told = Exclude<WireEvent, { type: "internal" }>;

export interface Entry {
  event: Told;
  opensDay: boolean;
  /** The first of a run of messages of one person: it carries the name. */
  opensGroup: boolean;
  /** The last of such a run: it carries what became of it. */
  endsGroup: boolean;
}

const SAME_GROUP = 5 * 60_000;
const LOOK_AROUND = 50;

type Find = (seq: number) => WireEvent | undefined;

/** Hands out the same object while an entry looks the same, so that what is drawn need not be drawn again. */
export class Entries {
  private readonly known = new Map<number, Entry>();

  constructor(private readonly find: Find) {}

  /** undefined: not loaded yet; null: nothing to show. */
  at(seq: number): Entry | null | undefined {
    const entry = describe(seq, this.find);
    if (!entry) return entry;
    const before = this.known.get(seq);
    if (before && looksSame(before, entry)) return before;
    this.known.set(seq, entry);
    return entry;
  }
}

function looksSame(one: Entry, other: Entry): boolean {
  return (
    one.event === other.event &&
    one.opensDay === other.opensDay &&
    one.opensGroup === other.opensGroup &&
    one.endsGroup === other.endsGroup
  );
}

/** undefined: not loaded yet; null: nothing to show. */
export function describe(seq: number, find: Find): Entry | null | undefined {
  const event = find(seq);
  if (!event) return undefined;
  if (!isShown(event)) return null;
  const before = neighbour(seq, -1, find);
  const after = neighbour(seq, 1, find);
  return {
    event,
    opensDay: !before || !isSameDay(before.at, event.at),
    opensGroup: !before || !isSameGroup(before, event),
    endsGroup: !after || !isSameGroup(event, after),
  };
}

/** What stands on the visitor's card instead. */
const UNSAID = new Set<string>(["internal", "page.viewed", "visitor.described", "event.tracked"]);

function isShown(event: WireEvent): event is Told {
  return !UNSAID.has(event.type);
}

function neighbour(seq: number, step: 1 | -1, find: Find): Told | undefined {
  for (let other = seq + step; Math.abs(other - seq) <= LOOK_AROUND; other += step) {
    const event = find(other);
    if (!event) return undefined;
    if (isShown(event)) return event;
  }
  return undefined;
}

function isSameGroup(one: Told, other: Told): boolean {
  return (
    one.type === "message.posted" &&
    other.type === "message.posted" &&
    isSameAuthor(one.author, other.author) &&
    other.at - one.at < SAME_GROUP &&
    isSameDay(one.at, other.at)
  );
}

function isSameAuthor(one: Author, other: Author): boolean {
  return one.kind === other.kind && one.id === other.id;
}
