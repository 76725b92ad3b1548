// Single keys, outside text fields only, and only for who wants them.

import { cardShown } from "./inbox/Inbox";
import {
  closeConversation,
  openConversation,
  openLongestWaiting,
  take,
  takeFirst,
} from "./state/acts";
import { changeDraft } from "./state/drafts";
import { findRow, sections } from "./state/inbox";
import { me, settings } from "./state/me";
import { lastHeld, takeBack } from "./state/outbox";
import { go, inboxPath, route, settingsPath } from "./state/route";
import { closeSheet, keySheet, openSheet, sheet } from "./state/sheets";

type Act = () => unknown;

const ACTS: Record<string, Act> = {
  n: openLongestWaiting,
  j: () => step(1),
  k: () => step(-1),
  t: takeHereOrFirst,
  r: () => write("answer"),
  m: () => write("note"),
  o: () => onOpen(() => openSheet("hand")),
  l: () => onOpen(() => openSheet("labels")),
  e: () => onOpen((id) => isOurs(id) && closeConversation(id)),
  v: () => {
    cardShown.value = !cardShown.value;
  },
  z: undo,
  "?": () => keySheet(true),
};

const PLACES: Record<string, Act> = {
  i: () => go(inboxPath("open")),
  s: () => go(settingsPath()),
};

/** So long after `g` the next key says where to. */
const GO_WITHIN = 1_200;
let goUntil = 0;

export function listenToKeys(): () => void {
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}

function pressed(event: KeyboardEvent): void {
  if (isPaletteKey(event)) {
    event.preventDefault();
    if (sheet.peek() === "palette") closeSheet("palette");
    else openSheet("palette");
    return;
  }
  if (!settings.peek().single_keys || sheet.peek() || !isSingle(event)) return;
  const key = event.key.toLowerCase();
  const going = Date.now() < goUntil;
  goUntil = key === "g" && !going ? Date.now() + GO_WITHIN : 0;
  const act = (going ? PLACES : ACTS)[key];
  if (!act) return;
  event.preventDefault();
  act();
}

/** Also while one types, and for who wants no single keys. */
function isPaletteKey({ key, ctrlKey, metaKey, shiftKey, altKey }: KeyboardEvent): boolean {
  return key.toLowerCase() === "k" && ctrlKey !== metaKey && !shiftKey && !altKey;
}

function isSingle(event: KeyboardEvent): boolean {
  const { ctrlKey, metaKey, altKey, isComposing, target } = event;
  if (ctrlKey || metaKey || altKey || isComposing) return false;
  const element = target as HTMLElement;
  return !element.closest?.("input, textarea, select, dialog, [role=menu], [contenteditable]");
}

function openId(): string | null {
  return route.value.at === "inbox" ? route.value.conversation : null;
}

function onOpen(act: (id: string) => unknown): void {
  const id = openId();
  if (id) act(id);
}

function isOurs(id: string): boolean {
  const row = findRow(id)?.peek();
  return row?.status === "open" && row.agent?.id === me.peek()?.agent.id;
}

/** In a conversation of nobody: that one. Else the first in the queue. */
function takeHereOrFirst(): void {
  const id = openId();
  const row = id ? findRow(id)?.peek() : undefined;
  if (row && !row.agent && row.status === "open") take(row.id);
  else takeFirst();
}

function step(by: 1 | -1): void {
  const here = route.value;
  if (here.at !== "inbox") return;
  const { mine, queue, customer, team, closed } = sections.value;
  const lists = { open: [...mine, ...queue, ...customer], team, closed };
  const ids = lists[here.view];
  const at = here.conversation ? ids.indexOf(here.conversation) : -1;
  const next = at < 0 ? (by > 0 ? 0 : ids.length - 1) : at + by;
  const id = ids[next];
  if (id) openConversation(id);
}

function write(mode: "answer" | "note"): void {
  const id = openId();
  if (!id) return;
  changeDraft(id, { mode });
  document.getElementById("composer")?.focus();
}

function undo(): void {
  const item = lastHeld.peek();
  if (!item) return;
  takeBack(item.client_message_id);
  openConversation(item.conversation);
}
