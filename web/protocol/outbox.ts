// What a person sent and the server has not confirmed yet. Nothing leaves it but by delivery or by the person's hand.

import type { Pace } from "./pace";
import type { ErrorCode, ErrorFrame, File, Note, Post } from "./types";
import { MAX_FILES, MAX_FRAME_BYTES, MAX_TEXT } from "./types";
import { showsSomething } from "./visible";

export interface Item {
  kind: "post" | "note";
  client_message_id: string;
  /** `null`: a visitor's new conversation. */
  conversation: string | null;
  text: string;
  files: File[];
  /** When the person pressed send, ms. */
  at: number;
  /** `acked`: stored by the server, its event is on the way into the log. */
  state: "waiting" | "sent" | "acked" | "failed";
  error?: ErrorCode;
  /** The proven visitor who wrote it. It goes out as his, and never as another's. */
  of?: string;
}

const ACK_WITHIN = 5_000;
const MAX_WAIT = 30_000;
const TEMPORARY = ["rate_limited", "busy", "unavailable"];

interface Try {
  count: number;
  /** Not before this time. */
  at: number;
}

export class Outbox {
  items: Item[] = [];
  /** Nothing goes out: it is being found out who we are. What is refused meanwhile was asked as another. */
  held = false;
  /** The proven visitor that we are. */
  private owner: string | undefined;
  private tries = new Map<string, Try>();
  /** The numbers that the server gave to what is acked. */
  private places = new Map<string, number>();

  find(id: string | undefined): Item | undefined {
    return this.items.find((item) => item.client_message_id === id);
  }

  add(item: Item): void {
    if (this.find(item.client_message_id)) return;
    if (item.of && this.owner && item.of !== this.owner) return;
    const error = refusal(item);
    this.items = [...this.items, error ? { ...item, state: "failed", error } : item];
  }

  /** What the person writes now. */
  write(item: Item): void {
    this.add(this.owner ? { ...item, of: this.owner } : item);
  }

  /** We are this visitor from now on. What another wrote who proved who he was, is nothing of his. */
  own(visitor?: { id: string; verified?: boolean }): void {
    this.owner = visitor?.verified ? visitor.id : undefined;
    const strange = this.items.filter(({ of }) => of && this.owner && of !== this.owner);
    for (const { client_message_id } of strange) this.remove(client_message_id);
  }

  /** Take over what an earlier page left behind; what the server has is not kept. */
  restore(items: Item[]): void {
    for (const item of items)
      if (item.state !== "acked")
        this.add(item.state === "failed" ? item : { ...item, state: "waiting" });
  }

  /** The frames to send now: per conversation one at a time, so that the order stays. */
  due(now: number, pace: Pace): (Post | Note)[] {
    const frames: (Post | Note)[] = [];
    for (const item of this.heads()) {
      const tried = this.tries.get(item.client_message_id);
      if (tried && now < tried.at) continue;
      if (!pace.take(now)) break;
      const count = (tried?.count ?? 0) + 1;
      const again = Math.min(MAX_WAIT, ACK_WITHIN * 2 ** (count - 1));
      this.tries.set(item.client_message_id, { count, at: now + again });
      this.change(item.client_message_id, { state: "sent" });
      frames.push(frameOf(item));
    }
    return frames;
  }

  /** When `due` should be asked again, or Infinity. */
  next(): number {
    return Math.min(...this.heads().map((item) => this.tries.get(item.client_message_id)?.at ?? 0));
  }

  /** The server stored it as `seq`. In a new conversation, those that waited for its name get it now. */
  ack(id: string, conversation: string, seq: number): Item | undefined {
    const item = this.find(id);
    if (!item || item.state === "acked") return undefined;
    if (item.conversation === null) this.name(conversation);
    this.places.set(id, seq);
    return this.change(id, { state: "acked" });
  }

  /** Events up to this number will not be handed out: what was stored among them needs no waiting. */
  settle(conversation: string, upTo = Number.POSITIVE_INFINITY): void {
    for (const { client_message_id: id, conversation: of } of this.items)
      if (of === conversation && (this.places.get(id) ?? Number.NaN) <= upTo) this.remove(id);
  }

  /** Its event stands in the log, or the person takes it away. */
  remove(id: string | undefined, conversation?: string): boolean {
    const item = this.find(id);
    if (!item) return false;
    if (item.conversation === null && conversation) this.name(conversation);
    this.items = this.items.filter((other) => other.client_message_id !== id);
    this.tries.delete(item.client_message_id);
    this.places.delete(item.client_message_id);
    return true;
  }

  refuse({ ref, code, retry_after_ms }: ErrorFrame, now: number): void {
    const item = this.find(ref);
    if (!item) return;
    const id = item.client_message_id;
    if (!TEMPORARY.includes(code)) {
      if (!this.held || code !== "not_found") this.change(id, { state: "failed", error: code });
      return;
    }
    const count = this.tries.get(id)?.count ?? 1;
    const wait = retry_after_ms ?? Math.min(MAX_WAIT, 1_000 * 2 ** (count - 1));
    this.tries.set(id, { count, at: now + wait });
    this.change(id, { state: "waiting" });
  }

  retry(id: string): void {
    const item = this.find(id);
    if (item?.state !== "failed") return;
    this.tries.delete(id);
    const { error: _, ...rest } = item;
    this.items = this.items.map((old) => (old === item ? { ...rest, state: "waiting" } : old));
  }

  /** The connection is gone: whatever was under way goes again. */
  unsend(): void {
    this.tries.clear();
    this.edit((item) => item.state === "sent", { state: "waiting" });
  }

  /** Frames under way were too big for the server. */
  failSent(error: ErrorCode): void {
    this.edit((item) => item.state === "sent", { state: "failed", error });
  }

  /** The visitor is a new one: his old conversations are not his any more. */
  forget(): void {
    this.edit((item) => item.conversation !== null, { conversation: null });
  }

  /** What goes next. A first message may have been stored by an earlier page, in a conversation that we know by
   * now: nothing that was written later overtakes it. */
  private heads(): Item[] {
    if (this.held) return [];
    const seen = new Set<string | null>();
    return this.items.filter(({ state, conversation, of }) => {
      if (of && of !== this.owner) return false;
      if (state === "failed" || state === "acked" || seen.has(conversation) || seen.has(null))
        return false;
      return seen.add(conversation);
    });
  }

  private name(conversation: string): void {
    this.edit((item) => item.conversation === null, { conversation });
  }

  private change(id: string, change: Partial<Item>): Item | undefined {
    this.edit((item) => item.client_message_id === id, change);
    return this.find(id);
  }

  /** A list that did not change stays the same list. */
  private edit(matches: (item: Item) => boolean, change: Partial<Item>): void {
    if (this.items.some(matches))
      this.items = this.items.map((item) => (matches(item) ? { ...item, ...change } : item));
  }
}

function frameOf({ kind, client_message_id, conversation, text, files }: Item): Post | Note {
  if (kind === "note")
    return { type: kind, client_message_id, conversation: conversation as string, text };
  const post: Post = { type: kind, client_message_id, conversation, text };
  return files.length ? { ...post, files: files.map((file) => file.id) } : post;
}

/** What the server would refuse is not even sent. */
function refusal(item: Item): ErrorCode | undefined {
  const { text, files } = item;
  if (!files.length && !showsSomething(text)) return "empty";
  if (files.length > MAX_FILES) return "too_long";
  if (text.length > MAX_TEXT && [...text].length > MAX_TEXT) return "too_long";
  // Escapes make a frame longer than its text: only what is near the limit needs counting.
  if (text.length * 6 < MAX_FRAME_BYTES - 2_048) return undefined;
  const bytes = new TextEncoder().encode(JSON.stringify(frameOf(item))).length;
  return bytes > MAX_FRAME_BYTES ? "too_long" : undefined;
}
