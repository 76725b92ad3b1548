// Every conversation we have heard of, and where it stands in the list.

import { batch, computed, effect, type Signal, signal } from "@preact/signals";
import type { Receipt, Row } from "../../protocol/types";
import { asProblem, call, type Page } from "./api";
import { me } from "./me";
import { arrange, holdStill, type SectionKey, type Sections, supersedes } from "./order";

export type View = "open" | "team" | "closed";

const rows = new Map<string, Signal<Row>>();
/** Goes up whenever a row came or changed. */
const changes = signal(0);

export function findRow(id: string): Signal<Row> | undefined {
  changes.value;
  return rows.get(id);
}

/** All that this page has heard of: who waits first, then by the last word. */
export function allRows(): Row[] {
  const { mine, queue, customer, team, closed } = wanted.value;
  return [...mine, ...queue, ...customer, ...team, ...closed].flatMap(
    (id) => rows.get(id)?.value ?? [],
  );
}

export function mergeRows(list: readonly Row[]): void {
  batch(() => {
    for (const row of list) mergeRow(row);
    changes.value++;
  });
}

/** Whom we have heard of since the lists are being read again. */
let heard = new Set<string>();

function mergeRow(row: Row): void {
  heard.add(row.id);
  const known = rows.get(row.id);
  if (!known) rows.set(row.id, signal(row));
  else if (supersedes(row, known.peek())) known.value = row;
}

/** What we know before the server's row says so; the next row replaces it. */
export function changeRow(id: string, change: Partial<Row>): void {
  const row = rows.get(id);
  if (!row) return;
  row.value = { ...row.peek(), ...change };
  changes.value++;
}

export function applyReceipt({ conversation, by, delivered, read }: Receipt): void {
  const row = rows.get(conversation);
  if (!row) return;
  const { receipts } = row.peek();
  const marks = {
    delivered: Math.max(receipts[by].delivered, delivered),
    read: Math.max(receipts[by].read, read),
  };
  changeRow(conversation, { receipts: { ...receipts, [by]: marks } });
}

export function applyOnline(visitors: Record<string, boolean>): void {
  for (const [id, online] of Object.entries(visitors)) {
    const row = rows.get(id);
    if (row) changeRow(id, { visitor: { ...row.peek().visitor, online } });
  }
}

export function removeRows(ids: readonly string[]): void {
  for (const id of ids) rows.delete(id);
  changes.value++;
}

export function forgetRows(): void {
  batch(() => {
    rows.clear();
    changes.value++;
    for (const state of Object.values(loads)) state.value = FRESH;
  });
}

// The order.

const wanted = computed<Sections>(() => {
  changes.value;
  const all = [...rows.values()].map((row) => row.peek());
  return arrange(all, me.value?.agent.id ?? "");
});

/** While the pointer or a key is at work in the list, no row moves. */
export const held = signal(false);
export const sections = signal<Sections>(wanted.peek());

effect(() => {
  sections.value = held.value ? holdStill(sections.peek(), wanted.value) : wanted.value;
});

/** Who waits for me or for anybody, longest first. */
export const waiting = computed(() => {
  const { mine, queue } = wanted.value;
  return { mine, queue, first: mine[0] ?? queue[0] };
});

export const unreadTotal = computed(() => {
  const { mine, customer } = wanted.value;
  return [...mine, ...customer].reduce((sum, id) => sum + (rows.get(id)?.peek().unread ? 1 : 0), 0);
});

/** How many wait for a colleague, as far as has been loaded. */
export const waitingForOthers = computed(
  () => wanted.value.team.filter((id) => rows.get(id)?.peek().waiting_since !== undefined).length,
);

/** My open conversations, in the order of the list. */
export const ours = computed(() => [...wanted.value.mine, ...wanted.value.customer]);

// Pages of the list.

interface Load {
  state: "fresh" | "loading" | "more" | "whole" | "failed";
  cursor?: string | null;
}

const FRESH: Load = { state: "fresh" };
const PAGE = 50;
/** So many that have left the lists are asked about one by one. */
const LOOKED_AFTER = 20;
type Source = "mine" | "waiting" | "team" | "closed";

export const loads: Record<Source, Signal<Load>> = {
  mine: signal(FRESH),
  waiting: signal(FRESH),
  team: signal(FRESH),
  closed: signal(FRESH),
};

export const sourceOf: Partial<Record<SectionKey, Source>> = {
  mine: "mine",
  queue: "waiting",
  customer: "mine",
  team: "team",
  closed: "closed",
};

export async function loadMore(source: Source): Promise<void> {
  const load = loads[source];
  const { state, cursor } = load.peek();
  if (state === "loading" || state === "whole") return;
  load.value = { state: "loading", cursor: cursor ?? null };
  try {
    await loadPage(source, cursor);
  } catch (fault) {
    asProblem(fault);
    load.value = { state: "failed", cursor: cursor ?? null };
  }
}

async function loadPage(source: Source, cursor: string | null | undefined): Promise<void> {
  const query = new URLSearchParams({ view: source, limit: String(PAGE) });
  if (cursor) query.set("cursor", cursor);
  const page = await call<Page<Row>>("GET", `/conversations?${query}`);
  batch(() => {
    mergeRows(page.data);
    const next = page.next_cursor ?? null;
    loads[source].value = { state: next ? "more" : "whole", cursor: next };
  });
}

let reading: Promise<unknown> = Promise.resolve();

/** Mine whole: nobody may be out of sight. Of the others the most urgent; the rest when looked for. */
export function loadInbox(): Promise<void> {
  return inTurn(() => [loadWhole("mine"), loadMore("waiting"), loadMore("team")]);
}

async function loadWhole(source: Source): Promise<void> {
  do await loadMore(source);
  while (loads[source].peek().state === "more");
}

/** What came while nobody listened, the moments before the first connection too: the pages are read again.
 * What stands there stays until they are in. */
export function reloadInbox(): Promise<void> {
  loads.closed.value = FRESH;
  return inTurn(() => [readAllAgain()]);
}

async function readAllAgain(): Promise<void> {
  const before = allRows().filter(({ status }) => status === "open");
  heard = new Set();
  const sources: Source[] = ["mine", "waiting", "team"];
  const read = await Promise.all(sources.map(readAgain));
  if (read.every(Boolean))
    await lookAfter(before.map(({ id }) => id).filter((id) => !heard.has(id)));
}

/** Whether it was read. */
async function readAgain(source: Source): Promise<boolean> {
  try {
    await loadPage(source, null);
    if (source === "mine" && loads.mine.peek().state === "more") await loadWhole(source);
    return true;
  } catch (fault) {
    asProblem(fault);
    loads[source].value = { state: "failed", cursor: null };
    return false;
  }
}

/** Those that are in none of the pages any more: somebody closed them, or they stand further down, where they are
 * read when looked for. */
async function lookAfter(ids: string[]): Promise<void> {
  if (ids.length > LOOKED_AFTER) removeRows(ids);
  else await Promise.all(ids.map(lookAgain));
}

async function lookAgain(id: string): Promise<void> {
  try {
    await loadRow(id);
  } catch (fault) {
    if (asProblem(fault).status === 404) removeRows([id]);
  }
}

/** What is being read already may have been asked too early to know what comes now. */
async function inTurn(read: () => Promise<void>[]): Promise<void> {
  const turn = reading.then(() => Promise.all(read()));
  reading = turn.catch(() => undefined);
  await turn;
}

export async function loadRow(id: string): Promise<void> {
  mergeRows([await call<Row>("GET", `/conversations/${id}`)]);
}
