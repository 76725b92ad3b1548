// The client's session: what to send, show, ask and do next. No sockets, timers, clock or chance in here:
// `step` takes what happened and the time, and answers with what is to be done. See README.md.

import { Line, MAX_DELAY, PONG_WITHIN } from "./line";
import { Log } from "./log";
import type { Ack, ErrorFrame, Events, ServerFrame, Typing, TypingBy, WireEvent } from "./types";
import type { Effect, Input } from "./words";

export type { Item } from "./outbox";
export type { Effect, Input, Status, Transport } from "./words";

/** Marks within MARK_EVERY, of all conversations together: well below what the server takes. */
const MARKS_AT_ONCE = 8;
const MARK_EVERY = 300;
const TYPING_EVERY = 4_000;
const TYPING_FADES = 6_000;
const ALIVE_EVERY = 15_000;

export class Session extends Line {
  /** Since when marks are counted, and how many there were. */
  private marks = { since: 0, count: 0 };
  private typed = { conversation: "", at: 0 };
  private typers = new Map<string, { by: TypingBy; conversation: string; until: number }>();

  /** Something happened at `now` (ms). Returns what is to be done, in order. */
  step(input: Input, now: number): Effect[] {
    this.now = now;
    this.effects = [];
    const before = this.outbox.items;
    this.take(input);
    if (this.status === "live") this.sendDue();
    if (this.outbox.items !== before) this.effect({ type: "outbox", items: this.outbox.items });
    return this.effects;
  }

  /** When `tick` should come, or Infinity. */
  wakeAt(): number {
    const times = [this.retryAt, this.welcomeBy, this.pongBy];
    for (const typer of this.typers.values()) times.push(typer.until);
    if (this.status === "live") {
      const freeAt = Math.max(1, this.pace.freeAt());
      times.push(this.pingAt, this.aliveAt, Math.max(freeAt, this.outbox.next()));
      if (this.page) times.push(freeAt);
      for (const log of this.logs.values()) {
        if (log.askAt && !log.filling) times.push(Math.max(freeAt, log.askAt));
        if (!log.marked) times.push(Math.max(freeAt, log.markAt, this.marksFullUntil()));
      }
    }
    return Math.min(...times.filter(Boolean), Number.POSITIVE_INFINITY);
  }

  private take(input: Input): void {
    switch (input.type) {
      case "open":
        if (this.status === "idle" || this.status === "stopped") this.retry();
        break;
      case "shut":
        this.drop();
        this.become("idle");
        break;
      case "connected":
        this.sayHello(input.hello);
        break;
      case "disconnected":
        this.disconnected(input.code);
        break;
      case "received":
        for (const frame of [input.frames].flat()) this.receive(frame);
        break;
      case "tick":
        for (const [key, typer] of this.typers) if (this.now >= typer.until) this.fade(key);
        this.keep();
        break;
      case "online":
      case "woke":
        this.hurry(input.type === "online");
        break;
      case "offline":
        if (this.isConnected) this.lose();
        break;
      case "restore":
        this.outbox.restore(input.items);
        break;
      case "post":
        this.typed.at = 0;
        this.outbox.write({ ...input.item, at: this.now, state: "waiting" });
        break;
      case "retry":
        this.outbox.retry(input.client_message_id);
        break;
      case "discard":
        this.outbox.remove(input.client_message_id);
        break;
      case "follow":
        this.follow(input.conversation, input.last_seq);
        break;
      case "leave":
        this.leave(input.conversation);
        break;
      case "filled":
        this.filled(input.conversation, input.events);
        break;
      case "unfilled":
        this.unfilled(input.conversation);
        break;
      case "mark":
        this.logs.get(input.conversation)?.mark(input.delivered ?? 0, input.read ?? 0);
        break;
      case "typing":
        this.typing(input.conversation, input.on);
        break;
      case "page":
        this.page = { type: "page", ...input.page };
        break;
      case "identify":
        this.identify();
        break;
      case "identified":
        this.identified(input.visitor);
        break;
      case "alive":
        this.alive = input;
        this.aliveAt = 1;
        break;
    }
  }

  // What the server says.

  private receive(frame: ServerFrame): void {
    if (this.status !== "live" && frame.type !== "welcome" && frame.type !== "error") return;
    switch (frame.type) {
      case "welcome":
        this.welcome(frame);
        break;
      case "ack":
        this.acked(frame);
        break;
      case "events":
        this.happened(frame);
        break;
      case "resync":
        this.resync(frame.conversation, frame.last_seq);
        break;
      case "conversation":
        this.effect({ type: "tell", frame });
        this.logs.get(frame.conversation.id)?.hear(frame.conversation.last_seq, this.now);
        break;
      case "inbox":
        this.effect({ type: "tell", frame });
        for (const row of frame.rows) this.logs.get(row.id)?.hear(row.last_seq, this.now);
        break;
      case "gone":
        for (const id of frame.conversations) this.logs.delete(id);
        this.effect({ type: "tell", frame });
        break;
      case "typing":
        this.typedBy(frame);
        break;
      case "error":
        this.refused(frame);
        break;
      case "draining":
        this.drain = frame.retry_ms;
        break;
      case "receipt":
      case "presence":
        this.effect({ type: "tell", frame });
        break;
    }
    this.pongBy = 0;
    if (this.status === "live") this.pingAt = this.now + this.heartbeat;
  }

  private acked({ client_message_id, conversation, seq, at }: Ack): void {
    const sent = this.outbox.find(client_message_id);
    const item = this.outbox.ack(client_message_id, conversation, seq);
    if (!sent || !item) return;
    if (!this.logs.has(conversation)) {
      if (sent.conversation !== null) {
        // We left this conversation meanwhile; the message is where it belongs.
        this.outbox.remove(client_message_id);
        return;
      }
      this.begin(conversation, seq);
    }
    const { text, files } = item;
    const type = item.kind === "note" ? "note.posted" : "message.posted";
    const data = files.length ? { text, files } : { text };
    const event = { seq, type, at, author: this.author, client_message_id, data };
    this.show(conversation, [event as WireEvent]);
    const log = this.logs.get(conversation) as Log;
    log.hear(seq, this.now);
    // What we show may begin later than what was stored long ago.
    this.outbox.settle(conversation, log.last);
  }

  /** Our own message is the first that we know of this conversation. */
  private begin(conversation: string, seq: number): void {
    const log = new Log(seq - 1);
    log.listen(this.now);
    this.logs.set(conversation, log);
    this.effect({ type: "started", conversation });
  }

  private happened({ conversation, events }: Events): void {
    const log = this.logs.get(conversation);
    if (!log) return;
    this.show(conversation, events);
    if (log.behind && !log.askAt) log.askAt = this.now;
  }

  private show(conversation: string, events: WireEvent[]): void {
    const log = this.logs.get(conversation) as Log;
    const ready = log.take(events);
    if (!ready.length) return;
    this.effect({ type: "events", conversation, events: ready });
    for (const event of ready) {
      if (event.type === "internal") continue;
      this.outbox.remove(event.client_message_id, conversation);
      if (event.type !== "message.posted") continue;
      if (event.author.kind !== this.kind) log.mark(event.seq, 0);
      this.fade(`${conversation} ${event.author.id}`);
    }
  }

  private resync(conversation: string, lastSeq: number): void {
    let log = this.logs.get(conversation);
    if (!log) return;
    if (lastSeq < log.claimed) {
      // The server has less than we asked it to go on from: it was restored from a backup, and what it has is what counts.
      log = new Log(0);
      this.logs.set(conversation, log);
      this.effect({ type: "reset", conversation });
    }
    log.hear(lastSeq, this.now);
    if (!log.behind) return;
    log.filling = lastSeq;
    this.fill(conversation, log);
  }

  /** Of a conversation that we never saw, the end comes first. */
  private fill(conversation: string, log: Log): void {
    const page = log.last ? { after: log.last } : { before: log.filling + 1 };
    this.effect({ type: "fill", conversation, ...page });
  }

  private filled(conversation: string, events: WireEvent[]): void {
    const log = this.logs.get(conversation);
    if (!log) return;
    const from = log.last;
    if (!from) {
      log.begin(events);
      this.outbox.settle(conversation, log.last);
    }
    this.show(conversation, events);
    if (log.last >= log.filling) log.filling = 0;
    else if (log.last > from) this.fill(conversation, log);
    else this.unfilled(conversation);
  }

  private unfilled(conversation: string): void {
    const log = this.logs.get(conversation);
    if (!log?.filling) return;
    log.filling = 0;
    log.askAt = this.now + PONG_WITHIN;
  }

  private refused(frame: ErrorFrame): void {
    this.outbox.refuse(frame, this.now);
    if (frame.code === "rate_limited") this.slowDown(frame);
    const log = this.logs.get(frame.ref ?? "");
    if (log && frame.code === "not_found" && !this.identifying)
      this.logs.delete(frame.ref as string);
    else log?.refuse(this.now + (frame.retry_after_ms ?? PONG_WITHIN));
    this.effect({ type: "tell", frame });
  }

  /** Whatever it was about, the limit is one for all that we send. */
  private slowDown({ ref, retry_after_ms }: ErrorFrame): void {
    this.pace.slowDown(this.now, retry_after_ms);
    if (ref !== undefined) return;
    this.doubtMarks();
    if (this.now - this.pageAt < MAX_DELAY) this.page ??= this.toldPage;
    if (this.alive) this.aliveAt = Math.max(1, this.pace.freeAt());
  }

  // Conversations that we follow, and what we say about them.

  private follow(conversation: string, lastSeq: number): void {
    if (this.logs.has(conversation)) return;
    const log = new Log(lastSeq);
    this.logs.set(conversation, log);
    this.outbox.settle(conversation, lastSeq);
    log.listen(this.now);
  }

  private leave(conversation: string): void {
    if (!this.logs.delete(conversation)) return;
    this.outbox.settle(conversation);
    this.send({ type: "leave", conversation });
  }

  private typing(conversation: string, on: boolean): void {
    const { typed } = this;
    const fresh =
      typed.conversation === conversation && typed.at && this.now - typed.at < TYPING_EVERY;
    if (this.status !== "live" || (on ? fresh : !typed.at)) return;
    // Nobody misses it, so it does not wait.
    if (on && !this.pace.take(this.now)) return;
    this.typed = { conversation, at: on ? this.now : 0 };
    this.send({ type: "typing", conversation, on });
  }

  private typedBy(frame: Typing): void {
    const { conversation, by, on } = frame;
    const key = `${conversation} ${by.id}`;
    if (!on) {
      this.fade(key);
      return;
    }
    this.typers.set(key, { conversation, by, until: this.now + TYPING_FADES });
    this.effect({ type: "tell", frame });
  }

  private fade(key: string): void {
    const typer = this.typers.get(key);
    if (!typer) return;
    this.typers.delete(key);
    const { conversation, by } = typer;
    this.effect({ type: "tell", frame: { type: "typing", conversation, by, on: false } });
  }

  private marksFullUntil(): number {
    const { since, count } = this.marks;
    return count >= MARKS_AT_ONCE ? since + MARK_EVERY : 0;
  }

  private countMark(): void {
    if (this.now >= this.marks.since + MARK_EVERY) this.marks = { since: this.now, count: 0 };
    this.marks.count++;
  }

  /** Everything whose time has come: what is missing, messages, marks, that we are awake. */
  private sendDue(): void {
    this.askDue();
    for (const frame of this.outbox.due(this.now, this.pace)) this.send(frame);
    if (this.page && this.pace.take(this.now)) {
      this.toldPage = this.page;
      this.page = undefined;
      this.pageAt = this.now;
      this.send(this.toldPage);
    }
    this.markDue();
    if (this.alive && this.passed(this.aliveAt)) {
      this.aliveAt = this.now + ALIVE_EVERY;
      this.send({ ...this.alive });
    }
  }

  private askDue(): void {
    for (const [conversation, log] of this.logs) {
      if (!log.askAt) continue;
      if (this.now < this.pace.freeAt()) return;
      if (!log.asks(this.now)) continue;
      this.pace.take(this.now);
      this.send({ type: "resume", conversation, last_seq: log.claim() });
    }
  }

  private markDue(): void {
    for (const [conversation, log] of this.logs) {
      if (log.marked || this.now < Math.max(log.markAt, this.marksFullUntil())) continue;
      if (!this.pace.take(this.now)) return;
      this.countMark();
      log.marked = true;
      log.markAt = this.now + MARK_EVERY;
      this.send({ type: "mark", conversation, delivered: log.delivered, read: log.read });
    }
  }
}
