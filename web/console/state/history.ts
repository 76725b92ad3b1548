// What was said in a conversation, as far as it was looked at. Numbers have no holes, so the place of an
// event is known before its text is: blocks of a hundred are fetched when they come into sight.

import { type Signal, signal } from "@preact/signals";
import type { WireEvent } from "../../protocol/types";
import { asProblem, call, type Page } from "./api";

const BLOCK = 100;
/** Conversations kept in memory besides those in use. */
const KEPT = 12;

export class History {
  readonly events = new Map<number, WireEvent>();
  /** The highest number there is. */
  last = 0;
  /** Goes up with every change. */
  readonly version: Signal<number> = signal(0);
  readonly failed = signal(false);
  private readonly asked = new Set<number>();

  constructor(readonly conversation: string) {}

  /** Adds events in any order; what was there stays. */
  add(events: readonly WireEvent[]): void {
    for (const event of events) {
      this.events.set(event.seq, event);
      this.last = Math.max(this.last, event.seq);
    }
    this.version.value++;
  }

  reaches(last: number): void {
    if (last <= this.last) return;
    this.last = last;
    this.version.value++;
  }

  /** Fetch what is missing between two numbers, both included. */
  want(from: number, to: number): void {
    for (let block = blockOf(Math.max(1, from)); block <= blockOf(Math.min(to, this.last)); block++)
      if (!this.asked.has(block) && this.misses(block, from, to)) this.fetchBlock(block);
  }

  retry(): void {
    this.failed.value = false;
    this.version.value++;
  }

  private misses(block: number, from: number, to: number): boolean {
    const end = Math.min((block + 1) * BLOCK, to, this.last);
    for (let seq = Math.max(block * BLOCK + 1, from); seq <= end; seq++)
      if (!this.events.has(seq)) return true;
    return false;
  }

  private async fetchBlock(block: number): Promise<void> {
    const end = (block + 1) * BLOCK;
    this.asked.add(block);
    try {
      // A page of long messages ends before its block does.
      for (let after = block * BLOCK; after < Math.min(end, this.last); ) {
        const events = await fetchEvents(this.conversation, { after }, end - after);
        this.add(events);
        after = events.at(-1)?.seq ?? end;
      }
      this.failed.value = false;
    } catch (fault) {
      asProblem(fault);
      this.failed.value = true;
    }
    this.asked.delete(block);
  }
}

function blockOf(seq: number): number {
  return Math.floor((seq - 1) / BLOCK);
}

export async function fetchEvents(
  conversation: string,
  query: { after?: number; before?: number },
  limit = 200,
): Promise<WireEvent[]> {
  const search = new URLSearchParams({ limit: String(limit) });
  for (const [key, value] of Object.entries(query)) search.set(key, String(value));
  const page = await call<Page<WireEvent>>(
    "GET",
    `/conversations/${conversation}/events?${search}`,
  );
  return page.data;
}

const histories = new Map<string, History>();

/** The most lately used stays; what nobody looked at for long is fetched again when needed. */
export function historyOf(conversation: string): History {
  const history = histories.get(conversation) ?? new History(conversation);
  histories.delete(conversation);
  histories.set(conversation, history);
  for (const old of histories.keys()) {
    if (histories.size <= KEPT) break;
    histories.delete(old);
  }
  return history;
}

export function knownHistory(conversation: string): History | undefined {
  return histories.get(conversation);
}

export function forgetHistory(conversation: string): void {
  histories.delete(conversation);
}

export function forgetHistories(): void {
  histories.clear();
}
