// What was sent and is not in the log yet: first held for a few seconds so that it can be taken back,
// then with the session, which does not let go before the server has it.

import { computed, effect, signal } from "@preact/signals";
import { uuid7 } from "../../protocol/ids";
import type { Item } from "../../protocol/session";
import { read, write } from "../../protocol/stored";
import type { File } from "../../protocol/types";
import { changeDraft, draftOf } from "./drafts";
import { readKept, readKeptJson, writeKept } from "./kept";
import { settings } from "./me";

export interface Held {
  client_message_id: string;
  conversation: string;
  text: string;
  files: File[];
  /** When it leaves, by the clock of this machine. */
  leaves: number;
}

type Send = (item: Omit<Item, "state" | "at">) => void;

export const held = signal<Held[]>([]);
/** As the session has them. */
export const unconfirmed = signal<readonly Item[]>([]);
export const lastHeld = computed(() => held.value.at(-1));

let give: Send = () => {};
let timer: ReturnType<typeof setTimeout> | undefined;

/** `send` hands an item to the session. What an earlier page left behind leaves at once. */
export function startOutbox(send: Send): Item[] {
  give = send;
  const left = readKeptJson<Held[]>("held") ?? [];
  held.value = [];
  for (const item of left) hand(item);
  return read(readKept("outbox")).outbox;
}

export function keepUnconfirmed(items: readonly Item[]): void {
  unconfirmed.value = items;
  writeKept("outbox", items.length ? write({ outbox: [...items], drafts: {} }) : null);
}

export function forgetOutbox(): void {
  clearTimeout(timer);
  held.value = [];
  unconfirmed.value = [];
}

/** A message that follows another shows that the first was meant: it does not wait any longer. */
export function post(conversation: string, text: string, files: File[]): void {
  release(conversation);
  const item = { client_message_id: uuid7(), conversation, text, files };
  const wait = settings.value.undo_seconds * 1000;
  if (!wait) hand({ ...item, leaves: 0 });
  else hold({ ...item, leaves: Date.now() + wait });
}

export function postNote(conversation: string, text: string): void {
  give({ kind: "note", client_message_id: uuid7(), conversation, text, files: [] });
}

function hold(item: Held): void {
  held.value = [...held.value, item];
  schedule();
}

function hand({ client_message_id, conversation, text, files }: Held): void {
  give({ kind: "post", client_message_id, conversation, text, files });
}

/** Back into the composer, before whatever stands there. */
export function takeBack(id: string): void {
  const item = held.value.find((one) => one.client_message_id === id);
  if (!item) return;
  held.value = held.value.filter((one) => one !== item);
  const draft = draftOf(item.conversation).peek();
  const text = [item.text, draft.text].filter(Boolean).join("\n");
  changeDraft(item.conversation, { mode: "answer", text, files: [...item.files, ...draft.files] });
}

/** Sends what is held: of one conversation, or all. */
export function release(conversation?: string): void {
  const leaving = held.value.filter((one) => !conversation || one.conversation === conversation);
  if (!leaving.length) return;
  held.value = held.value.filter((one) => !leaving.includes(one));
  for (const item of leaving) hand(item);
}

function schedule(): void {
  clearTimeout(timer);
  const next = Math.min(...held.value.map((one) => one.leaves));
  if (Number.isFinite(next)) timer = setTimeout(letGo, Math.max(0, next - Date.now()));
}

function letGo(): void {
  const now = Date.now();
  const due = held.value.filter((one) => one.leaves <= now);
  held.value = held.value.filter((one) => one.leaves > now);
  for (const item of due) hand(item);
  schedule();
}

effect(() => {
  writeKept("held", held.value.length ? JSON.stringify(held.value) : null);
});

/** The page may go away: nothing is left behind by waiting politely. */
addEventListener("pagehide", () => release());
