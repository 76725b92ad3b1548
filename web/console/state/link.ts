// The live connection: what it says goes into the state, what people do goes into it.

import { batch, effect, signal } from "@preact/signals";
import { Connection } from "../../protocol/connection";
import type { Effect, Input, Status } from "../../protocol/session";
import type { AgentState, ServerFrame, TypingBy, WireEvent } from "../../protocol/types";
import { asProblem, call } from "./api";
import { forgetDraft } from "./drafts";
import { fetchEvents, forgetHistory, historyOf, knownHistory } from "./history";
import {
  applyOnline,
  applyReceipt,
  findRow,
  forgetRows,
  loadInbox,
  mergeRows,
  ours,
  reloadInbox,
  removeRows,
} from "./inbox";
import { readKept, writeKept } from "./kept";
import { changeLooks, endSession, me } from "./me";
import { keepUnconfirmed, startOutbox } from "./outbox";
import { go, inboxPath, route } from "./route";
import { serverNow, setServerTime } from "./time";

export const status = signal<Status>("idle");
/** When the connection went, by the clock of the server; null while it stands. */
export const lostSince = signal<number | null>(null);
export const retryAt = signal(0);
export const colleagues = signal<AgentState[]>([]);
/** Who is typing, by conversation. */
export const typers = signal<Record<string, TypingBy[]>>({});

export type Availability = "available" | "away";
export const availability = signal<Availability>(
  readKept("availability") === "away" ? "away" : "available",
);

type Listener = (conversation: string, events: WireEvent[]) => void;
const listeners = new Set<Listener>();

/** Hears every event that is new, once. Returns how to stop. */
export function onEvents(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let connection: Connection | undefined;

export function openLink(): void {
  connection = new Connection({
    kind: "agent",
    origin: location.origin,
    hello: askTicket,
    page: (conversation, query) => fetchEvents(conversation, query),
    on: perform,
  });
  tell({ type: "restore", items: startOutbox((item) => tell({ type: "post", item })) });
  tell({ type: "open" });
  sayAlive(true);
}

export function closeLink(): void {
  connection?.close();
  connection = undefined;
  following.clear();
  status.value = "idle";
  lostSince.value = null;
}

export function tell(input: Input): void {
  connection?.step(input);
}

export function reconnect(): void {
  tell({ type: "open" });
  tell({ type: "woke" });
}

async function askTicket(): Promise<Record<string, unknown>> {
  try {
    const { ticket } = await call<{ ticket: string }>("POST", "/socket-tickets", {});
    return { ticket, client: "console" };
  } catch (fault) {
    throw { code: asProblem(fault).status === 401 ? 4401 : 1006 };
  }
}

function perform(happened: Effect): void {
  switch (happened.type) {
    case "status":
      noteStatus(happened.status);
      break;
    case "tell":
      hear(happened.frame);
      break;
    case "events":
      take(happened.conversation, happened.events);
      break;
    case "outbox":
      keepUnconfirmed(happened.items);
      break;
    case "signed_out":
      endSession();
      break;
  }
}

let wasLive = false;

function noteStatus(now: Status): void {
  batch(() => {
    if (now === "live") lostSince.value = null;
    else if (wasLive && lostSince.value === null) lostSince.value = serverNow();
    retryAt.value = connection ? connection.session.wakeAt() : 0;
    status.value = now;
  });
  if (now === "live") reloadInbox();
  wasLive ||= now === "live";
}

function hear(frame: ServerFrame): void {
  switch (frame.type) {
    case "welcome":
      setServerTime(frame.now);
      if ("agents" in frame) meet(frame.agents);
      break;
    case "inbox":
      mergeRows(frame.rows);
      for (const row of frame.rows) knownHistory(row.id)?.reaches(row.last_seq);
      break;
    case "gone":
      forget(frame.conversations);
      break;
    case "receipt":
      applyReceipt(frame);
      break;
    case "presence":
      if ("desk" in frame) break;
      if (frame.agents?.length) meet(frame.agents);
      if (frame.visitors) applyOnline(frame.visitors);
      break;
    case "typing":
      noteTyping(frame.conversation, frame.by, frame.on);
      break;
  }
}

/** Everybody, as they are now. An administrator may have renamed oneself. */
function meet(agents: AgentState[]): void {
  colleagues.value = agents;
  const self = agents.find(({ id }) => id === me.peek()?.agent.id);
  if (self) changeLooks(self.name, self.picture);
}

/** Erased, or kept long enough. None named means that some went, we do not know which. */
function forget(gone: readonly string[]): void {
  batch(() => {
    if (route.value.at === "inbox" && gone.includes(route.value.conversation ?? ""))
      go(inboxPath(route.value.view), true);
    for (const id of gone) {
      forgetHistory(id);
      forgetDraft(id);
    }
    removeRows(gone);
    if (!gone.length) forgetRows();
  });
  if (!gone.length) loadInbox();
}

function noteTyping(conversation: string, by: TypingBy, on: boolean): void {
  const others = (typers.value[conversation] ?? []).filter((typer) => typer.id !== by.id);
  typers.value = { ...typers.value, [conversation]: on ? [...others, by] : others };
}

function take(conversation: string, events: WireEvent[]): void {
  batch(() => {
    knownHistory(conversation)?.add(events);
    for (const listener of listeners) listener(conversation, events);
  });
}

// Which conversations we hear: those that are ours, and the one on the screen.

export const opened = signal<string | null>(null);
const following = new Set<string>();

effect(() => {
  if (status.value === "idle" || !me.value) return;
  const wanted = new Set(ours.value);
  if (opened.value) wanted.add(opened.value);
  for (const id of wanted) if (!following.has(id)) follow(id);
  for (const id of following) if (!wanted.has(id)) leave(id);
});

function follow(id: string): void {
  const row = findRow(id)?.peek();
  if (!row) return;
  following.add(id);
  tell({ type: "follow", conversation: id, last_seq: Math.max(row.last_seq, knownLast(id)) });
  knownHistory(id)?.reaches(row.last_seq);
}

function knownLast(id: string): number {
  return knownHistory(id)?.last ?? 0;
}

function leave(id: string): void {
  following.delete(id);
  tell({ type: "leave", conversation: id });
}

/** Opens a history at the end that the row promises. */
export function openHistory(id: string, last: number) {
  const history = historyOf(id);
  history.reaches(last);
  return history;
}

// Presence. An agent with the console in a background tab is there; one whose machine sleeps is not.

export function setAvailability(value: Availability): void {
  availability.value = value;
  writeKept("availability", value);
  sayAlive(true);
}

function sayAlive(awake: boolean): void {
  tell({ type: "alive", awake, status: availability.peek() });
}

document.addEventListener("freeze", () => sayAlive(false));
document.addEventListener("resume", () => sayAlive(true));

const DRIFT_EVERY = 10_000;
let expected = Date.now() + DRIFT_EVERY;

/** A timer that comes far too late means that the machine slept: the socket may be dead without knowing. */
setInterval(() => {
  const slept = Date.now() - expected > 3 * DRIFT_EVERY;
  expected = Date.now() + DRIFT_EVERY;
  if (slept) tell({ type: "woke" });
}, DRIFT_EVERY);
