// From the log to what stands on the paper: one row for each message, line, day and what is new.
// A row is never changed, only replaced, so that the screen redraws no more than what is new.

import type { Author, MessagePosted, WireEvent } from "../protocol/types";
import { say } from "./boot";
import { dayName, firstName, rated, sameDay } from "./format";

export interface MessageRow {
  kind: "message";
  key: string;
  seq: number;
  at: number;
  author: Author;
  mine: boolean;
  text: string;
  files: NonNullable<MessagePosted["data"]["files"]>;
  /** First and last of what one person said in one go. */
  first: boolean;
  last: boolean;
}

export interface LineRow {
  kind: "day" | "new" | "line";
  key: string;
  text: string;
}

export type Row = MessageRow | LineRow;

/** Between messages of one person that belong together, ms. */
const TOGETHER = 3 * 60_000;

export interface Paper {
  rows: Row[];
  /** When the last event was, for day lines. */
  at: number;
  /** The first event that is new to the reader, or 0. */
  newFrom: number;
}

export const blank = (newFrom = 0): Paper => ({ rows: [], at: 0, newFrom });

/** The paper with these events below it. */
export function write(paper: Paper, events: WireEvent[], now: number): Paper {
  const rows = [...paper.rows];
  let { at, newFrom } = paper;
  for (const event of events) {
    if (event.type === "internal") continue;
    const text = event.type === "message.posted" ? "" : lineOf(event);
    if (text === undefined) continue;
    if (!at || !sameDay(at, event.at))
      rows.push({ kind: "day", key: `day${event.seq}`, text: dayName(event.at, now) });
    at = event.at;
    if (newFrom && event.seq >= newFrom && event.author.kind !== "visitor") {
      rows.push({ kind: "new", key: "new", text: say("newLine") });
      newFrom = 0;
    }
    if (event.type === "message.posted") rows.push(messageRow(event, rows));
    else rows.push({ kind: "line", key: `line${event.seq}`, text });
  }
  return { rows, at, newFrom };
}

function messageRow(event: MessagePosted, rows: Row[]): MessageRow {
  const above = rows[rows.length - 1];
  const { seq, at, author, data } = event;
  const joins =
    above?.kind === "message" && sameAuthor(above.author, author) && at - above.at < TOGETHER;
  if (joins) rows[rows.length - 1] = { ...above, last: false };
  return {
    kind: "message",
    key: event.client_message_id ?? `${seq}`,
    seq,
    at,
    author,
    mine: author.kind === "visitor",
    text: data.text,
    files: data.files ?? [],
    first: !joins,
    last: true,
  };
}

function sameAuthor(one: Author, other: Author): boolean {
  return one.kind === other.kind && one.id === other.id;
}

/** What an event that is no message says, or undefined when it says nothing to a visitor. */
function lineOf(event: Exclude<WireEvent, MessagePosted | { type: "internal" }>) {
  switch (event.type) {
    case "conversation.assigned":
      return say("assigned", { name: firstName(event.data.agent.name) });
    case "conversation.released":
      return say("released");
    case "conversation.reopened":
      return say("reopened");
    case "conversation.closed":
      return closedBy(event.data.by, event.author);
    case "conversation.rated":
      return `${rated(event.data.score)}. ${say("thanks")}`;
    case "visitor.identified":
      return event.data.email ? say("known", { email: event.data.email }) : undefined;
    default:
      return undefined;
  }
}

function closedBy(by: string, author: Author): string {
  if (by === "visitor") return say("closedYou");
  return author.name ? say("closedBy", { name: firstName(author.name) }) : say("closed");
}
