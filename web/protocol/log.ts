// One followed conversation: hands out each event once and in order, and knows what it misses.

import type { WireEvent } from "./types";

/** How long to wait for an answer to `resume` before asking again. */
const ASK_AGAIN = 5_000;
/** What was only heard of (a row, an ack) is usually on its way: look again after this. */
const SETTLE = 500;
/** Events held behind a hole; beyond this they are dropped and asked for again. */
const MAX_HELD = 1_000;

export class Log {
  /** The highest number we have heard of, shown or not. */
  known: number;
  /** What we told the server last that we have. */
  claimed: number;
  /** When to ask (again) for what is missing; 0 when nothing is. */
  askAt = 0;
  /** The server does not let us hear this conversation yet: ask, though nothing is known to be missing. */
  deaf = false;
  /** The end of a hole that is being fetched over HTTP, or 0. */
  filling = 0;
  /** What this side has received and read, and when the server may be told next. */
  delivered = 0;
  read = 0;
  marked = true;
  markAt = 0;

  private held = new Map<number, WireEvent>();

  /** `last` is the number of the last event that was handed out. */
  constructor(public last: number) {
    this.known = last;
    this.claimed = last;
  }

  /** Keep these events; returns those that can be shown now. */
  take(events: WireEvent[]): WireEvent[] {
    for (const event of events) {
      if (event.seq > this.last && this.held.size < MAX_HELD) this.held.set(event.seq, event);
      this.known = Math.max(this.known, event.seq);
    }
    const ready: WireEvent[] = [];
    for (let next = this.held.get(this.last + 1); next; next = this.held.get(this.last + 1)) {
      this.held.delete(next.seq);
      this.last = next.seq;
      ready.push(next);
    }
    if (!this.behind && !this.deaf) this.askAt = 0;
    return ready;
  }

  /** Begin anew at the end of the conversation: `events` is its last page. */
  begin(events: WireEvent[]): void {
    const first = events[0];
    if (first && first.seq > this.last) this.last = first.seq - 1;
  }

  /** What to resume from; noted. */
  claim(): number {
    this.claimed = this.last;
    return this.last;
  }

  /** As `claim`, in a `hello`: nothing more is to be asked. */
  greet(): number {
    this.askAt = 0;
    this.deaf = false;
    return this.claim();
  }

  get behind(): boolean {
    return this.known > this.last;
  }

  /** Somebody says that the conversation is `seq` long. */
  hear(seq: number, now: number): void {
    this.known = Math.max(this.known, seq);
    if (this.behind && !this.askAt) this.askAt = now + SETTLE;
  }

  /** Is it time to ask? Then the asking is noted. */
  asks(now: number): boolean {
    if (!this.behind && !this.deaf) {
      // A time that nothing clears would make its timer ring for ever.
      this.askAt = 0;
      return false;
    }
    if (this.filling || now < this.askAt) return false;
    this.askAt = this.behind ? now + ASK_AGAIN : 0;
    this.deaf = false;
    return true;
  }

  /** The server is to be asked for this conversation, whatever is known of it. */
  listen(now: number): void {
    this.deaf = true;
    this.askAt = now;
  }

  /** The server cannot let us hear this conversation now; it may from `until` on. */
  refuse(until: number): void {
    this.deaf = true;
    this.askAt = until;
  }

  /** Raise the marks; false when nothing changed. */
  mark(delivered: number, read: number): boolean {
    if (delivered <= this.delivered && read <= this.read) return false;
    this.read = Math.max(this.read, read);
    this.delivered = Math.max(this.delivered, delivered, this.read);
    this.marked = false;
    return true;
  }
}
