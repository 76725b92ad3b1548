// What happens and what a visitor does: the connection, the log on the paper, and what follows from them.

import { batch, computed, effect, signal, untracked } from "@preact/signals";
import { Connection } from "../protocol/connection";
import { uuid7 } from "../protocol/ids";
import type {
  ConversationView,
  Desk,
  File,
  ServerFrame,
  VisitorSelf,
  WireEvent,
} from "../protocol/types";
import type { Effect, Item } from "../protocol/words";
import { access, ask, page } from "./api";
import { boot, site } from "./boot";
import { absorb, begun } from "./conversation";
import { timeZone } from "./format";
import { onHost, tellHost } from "./host";
import {
  drop,
  identify,
  keepVisitor,
  known,
  onOther,
  onSomebodyElse,
  settle,
  wanted,
} from "./identity";
import { forget, inherit, keepOutbox } from "./inherit";
import { kept, remembered } from "./kept";
import { blank, write } from "./rows";
import { beep } from "./sound";
import {
  asking,
  atEnd,
  awake,
  begin,
  conversations,
  current,
  desk,
  drafts,
  focusing,
  keepDrafts,
  link,
  me,
  outbox,
  pending,
  recall,
  type Screen,
  screen,
  shown,
  sound,
  started,
  status,
  stoppedBy,
  talk,
  typer,
  unread,
} from "./state";
import { hearTold } from "./told";

export const paper = signal(blank());

const logs = new Map<string, WireEvent[]>();
let lastPage: { url: string; title?: string; referrer?: string } | undefined;

/** The last own message of the log; only under it stands how far it came. */
export const lastMine = computed(() => {
  if (pending.value.length) return "";
  const own = paper.value.rows.findLast((row) => row.kind === "message" && row.mine);
  return own?.key ?? "";
});
export const asks = computed(() => {
  if (asking.value !== "away") return asking.value === "always";
  const waits = talk.value?.waiting_since && talk.value.status === "open";
  return !!waits && desk.value.state === "away" && !me.value?.email;
});
/** Earlier messages are on the server still. The first event is never one. */
export const hasOlder = computed(() => {
  paper.value;
  return (logs.get(current.value ?? "")?.[0]?.seq ?? 1) > 2;
});
const writer = computed(
  () => conversations.value.find((one) => one.unread)?.agent?.name.split(" ")[0],
);
const reading = computed(
  () => shown.value && awake.value && atEnd.value && screen.value === "talk",
);
const lives = computed(
  () => outbox.value.length > 0 || conversations.value.some((one) => one.status === "open"),
);

export const connection = new Connection({
  kind: "visitor",
  origin: location.origin,
  hello: () => {
    // Another tab may have become somebody else since.
    connection.session.token = known()?.token ?? connection.session.token;
    return {
      site: site.key,
      language: boot.language,
      time_zone: timeZone(),
      client: "balie-widget",
      // Where the visitor is, only a tab that he sees can say.
      ...(lastPage && !document.hidden && { page: lastPage }),
    };
  },
  page,
  on: heed,
  together: batch,
});

export async function start(): Promise<void> {
  await remembered;
  recall();
  link.step = (input) => connection.step(input);
  link.begun = settle;
  if (kept.allowed && !known()) settle();
  onOther();
  onSomebodyElse(({ id }) => {
    dropOf(id);
    clear();
  });
  inherit((items) => {
    connection.step({ type: "restore", items });
    // What waits is shown where it belongs.
    if (current.value) return;
    turnTo(items.at(-1)?.conversation ?? null);
    screen.value = "talk";
  });
  hearHost();
  follow();
}

// What the page that frames us says.

function hearHost(): void {
  // The page that loads says where it is, also while the panel stays closed.
  onHost("hello", moved);
  onHost("page", moved);
  onHost("identify", (who: object) => void identify(who).catch(() => {}));
  hearTold();
  onHost("shutdown", () => {
    connection.close();
    forget();
  });
}

function moved(seen: typeof lastPage): void {
  if (!seen?.url || seen.url === lastPage?.url) return;
  lastPage = {
    url: seen.url.slice(0, 2_000),
    title: (seen.title ?? "").slice(0, 300),
    referrer: (seen.referrer ?? "").slice(0, 2_000),
  };
  tellPage();
}

function tellPage(): void {
  if (lastPage && !document.hidden) connection.step({ type: "page", page: lastPage });
}

/** What follows by itself from what is known. */
function follow(): void {
  effect(() => {
    // A socket exists only while the panel is open or a conversation lives.
    const wanted = shown.value || lives.value || (kept.allowed && !me.value);
    connection.step({ type: wanted ? "open" : "shut" });
  });
  effect(() => {
    if (me.value) tellHost("live", lives.value);
  });
  // A tab that is looked at again says where that is.
  effect(() => {
    if (awake.value) untracked(tellPage);
  });
  effect(() => {
    tellHost("unread", { count: unread.value, name: writer.value });
  });
  effect(() => {
    const here = talk.value;
    if (!reading.value || !here) return;
    connection.step({ type: "mark", conversation: here.id, read: here.last_seq });
    if (here.unread) change({ ...here, unread: 0 });
  });
}

// What the session says.

function heed(happened: Effect): void {
  switch (happened.type) {
    case "status":
      status.value = happened.status;
      stoppedBy.value = happened.code ?? 0;
      break;
    case "events":
      happen(happened.conversation, happened.events);
      break;
    case "outbox":
      outbox.value = happened.items;
      keepOutbox(happened.items);
      break;
    case "started":
      change(begun(happened.conversation, Date.now()));
      started.value = happened.conversation;
      if (current.value === null) goAlong(happened.conversation);
      break;
    case "signed_out":
      clear();
      drop();
      break;
    case "reset":
      logs.delete(happened.conversation);
      if (current.value === happened.conversation) paper.value = blank();
      break;
    case "tell":
      hear(happened.frame);
      break;
  }
}

function hear(frame: ServerFrame): void {
  switch (frame.type) {
    case "welcome":
      if ("visitor" in frame) welcome(frame.visitor, frame.conversations, frame.desk);
      break;
    case "conversation":
      change(frame.conversation);
      // Begun in another tab just now.
      if (frame.conversation.status === "open") goOn(frame.conversation);
      break;
    case "presence":
      if ("desk" in frame) desk.value = frame.desk;
      break;
    case "typing":
      if (frame.conversation === current.value) typer.value = frame.on ? frame.by : undefined;
      break;
    case "receipt":
      received(frame.conversation, frame.by, frame.delivered, frame.read);
      break;
  }
}

function welcome(visitor: VisitorSelf, own: ConversationView[], present: Desk): void {
  me.value = visitor;
  access.token = visitor.token;
  desk.value = present;
  conversations.value = own;
  if (kept.allowed) keepVisitor(visitor);
  const open = own.find((one) => one.status === "open");
  if (open) goOn(open);
  if (wanted.identity) identify(wanted.identity).catch(() => {});
}

/** What a person who proved who he is left unsent or half typed, is not for the next at this browser. */
function dropOf(person: string): void {
  for (const { of, client_message_id } of outbox.value)
    if (of === person) connection.step({ type: "discard", client_message_id });
  keepDrafts({});
}

/** What was shown belongs to somebody else. */
function clear(): void {
  logs.clear();
  conversations.value = [];
  if (current.value) turnTo(null);
  // From home a welcome leads to what lives; an empty paper would stay empty.
  if (screen.value === "talk" && !outbox.value.length) screen.value = "home";
}

/** Hear the conversation that lives, and show it to whoever has not begun anything else: a first word that is
 * half typed stays where it stands. */
function goOn({ id }: ConversationView): void {
  hearOf(id);
  const hasBegun = outbox.value.length || drafts.value[""];
  if (screen.value !== "home" || current.value !== null || hasBegun) return;
  turnTo(id);
  screen.value = "talk";
}

/** The first word has begun this conversation; what is typed after it belongs there too. */
function goAlong(conversation: string): void {
  const { "": typed, ...others } = drafts.value;
  batch(() => {
    if (typed) keepDrafts({ ...others, [conversation]: typed });
    turnTo(conversation);
  });
}

function happen(conversation: string, events: WireEvent[]): void {
  const log = logs.get(conversation) ?? [];
  const ends = log[log.length - 1]?.seq ?? 0;
  logs.set(conversation, log.concat(events));
  const view = conversations.value.find(({ id }) => id === conversation);
  const seen = reading.value && conversation === current.value;
  if (view) change({ ...absorb(view, events, ends), ...(seen && { unread: 0 }) });
  const heard = events.find(
    (event) => event.type === "message.posted" && event.author.kind !== "visitor",
  );
  const isNew = heard && view && heard.seq > view.last_seq;
  if (conversation === current.value) {
    const unseen = isNew && !reading.value && !paper.value.rows.some(({ kind }) => kind === "new");
    const before = unseen ? { ...paper.value, newFrom: heard.seq } : paper.value;
    paper.value = write(before, events, Date.now());
  }
  if (isNew && sound.value && !(shown.value && awake.value)) beep();
}

function received(id: string, by: "visitor" | "agent", delivered: number, read: number): void {
  const view = conversations.value.find((one) => one.id === id);
  if (view) change({ ...view, receipts: { ...view.receipts, [by]: { delivered, read } } });
}

function change(view: ConversationView): void {
  const others = conversations.value.filter(({ id }) => id !== view.id);
  const first = !conversations.value.some(({ id }) => id === view.id);
  conversations.value = first
    ? [view, ...others]
    : conversations.value.map((one) => (one.id === view.id ? view : one));
}

function hearOf(conversation: string): void {
  connection.step({ type: "follow", conversation, last_seq: 0 });
}

// What a visitor does.

/** Put a conversation on the paper. */
export function turnTo(conversation: string | null): void {
  batch(() => {
    current.value = conversation;
    typer.value = undefined;
    atEnd.value = true;
    const view = talk.value;
    const newFrom = view?.unread ? view.receipts.visitor.read + 1 : 0;
    paper.value = write(blank(newFrom), logs.get(conversation ?? "") ?? [], Date.now());
  });
  if (conversation) hearOf(conversation);
}

export function show(where: Screen, conversation?: string | null): void {
  batch(() => {
    if (conversation !== undefined) turnTo(conversation);
    screen.value = where;
  });
  focusing.value++;
}

export function post(text: string, files: File[] = [], conversation = current.value): void {
  begin();
  const client_message_id = uuid7();
  batch(() => {
    if (conversation === current.value) screen.value = "talk";
    atEnd.value = true;
    connection.step({
      type: "post",
      item: { kind: "post", client_message_id, conversation, text, files },
    });
  });
}

/** Again, after a failure. What its conversation does not take goes into a new one. */
export function retry({ client_message_id, error, text, files }: Item): void {
  if (error !== "conflict" && error !== "closed" && error !== "not_found") {
    connection.step({ type: "retry", client_message_id });
    return;
  }
  connection.step({ type: "discard", client_message_id });
  if (error !== "conflict") turnTo(null);
  post(text, files);
}

export const discard = ({ client_message_id }: Item) =>
  connection.step({ type: "discard", client_message_id });

export async function loadOlder(): Promise<void> {
  const conversation = current.value;
  const log = logs.get(conversation ?? "");
  if (!conversation || !log?.[0]) return;
  const older = await page(conversation, { before: log[0].seq });
  const whole = [...older, ...(logs.get(conversation) ?? [])];
  logs.set(conversation, whole);
  if (current.value === conversation) paper.value = write(blank(), whole, Date.now());
}

export const finish = (conversation: string) =>
  ask("PUT", `/visitor/conversations/${conversation}/closure`);

export const rate = (conversation: string, score: number, comment: string) =>
  ask("PUT", `/visitor/conversations/${conversation}/rating`, {
    score,
    ...(comment && { comment }),
  });

export function toggleSound(): void {
  sound.value = !sound.value;
  kept.set("sound", sound.value ? "on" : "off");
  if (sound.value) beep();
}
