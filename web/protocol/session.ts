// The client's session: what to send, show, ask and do next. No sockets, timers, clock or chance in here:
// `step` takes what happened and the time, and answers with what is to be done. See README.md.

import { Log } from "./log";
import { Outbox } from "./outbox";
import type {
  Ack,
  AgentWelcome,
  Alive,
  Author,
  ClientFrame,
  ErrorFrame,
  Events,
  ServerFrame,
  Typing,
  TypingBy,
  VisitorWelcome,
  WireEvent,
} from "./types";
import type { Effect, Input, Status, Transport } from "./words";

export type { Item } from "./outbox";
export type { Effect, Input, Status, Transport } from "./words";

const WELCOME_WITHIN = 10_000;
const PONG_WITHIN = 5_000;
const FIRST_DELAY = 500;
const MAX_DELAY = 30_000;
const MARK_EVERY = 300;
/** Marks within MARK_EVERY, of all conversations together: well below what the server takes. */
const MARKS_AT_ONCE = 8;
const TYPING_EVERY = 4_000;
const TYPING_FADES = 6_000;
const ALIVE_EVERY = 15_000;
/** Close codes after which trying again would be wrong. */
const FINAL = [1003, 1007, 4400, 4403];
const UNAUTHORISED = 4401;
const TOO_FAST = 1008;
const TOO_BIG = 1009;

export class Session {
  status: Status = "idle";
  transport: Transport = "socket";
  readonly logs = new Map<string, Log>();
  readonly outbox = new Outbox();
  /** Who we are, from the last `welcome`; goes with what we send. */
  author: Author;
  token: string | undefined;

  private now = 0;
  private effects: Effect[] = [];
  private failures = 0;
  private misses = 0;
  private drain = 0;
  private heartbeat = 0;
  /** When: the connection must stand · to try again · to ask whether anybody is there · to give up. */
  private welcomeBy = 0;
  private retryAt = 0;
  private pingAt = 0;
  private pongBy = 0;
  /** Conversations that the last `hello` asked to resume. */
  private resumed = new Set<string>();
  /** Since when marks are counted, and how many there were. */
  private marks = { since: 0, count: 0 };
  private typed = { conversation: "", at: 0 };
  private typers = new Map<string, { by: TypingBy; conversation: string; until: number }>();
  private alive: Alive | undefined;
  private aliveAt = 0;

  constructor(
    readonly kind: "visitor" | "agent",
    private readonly random: () => number,
  ) {
    this.author = { kind };
  }

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
      times.push(this.pingAt, this.aliveAt, Math.max(1, this.outbox.next()));
      for (const log of this.logs.values()) {
        if (!log.filling) times.push(log.askAt);
        if (!log.marked) times.push(Math.max(1, log.markAt, this.marksFullUntil()));
      }
    }
    return Math.min(...times.filter(Boolean), Number.POSITIVE_INFINITY);
  }

  private take(input: Input): void {
    switch (input.type) {
      case "open":
        if (this.status === "idle" || this.status === "stopped") this.connect();
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
        this.tick();
        break;
      case "online":
      case "woke":
        this.hurry();
        break;
      case "offline":
        if (this.status === "live" || this.status === "connecting") this.lose();
        break;
      case "restore":
        this.outbox.restore(input.items);
        break;
      case "post":
        this.typed.at = 0;
        this.outbox.add({ ...input.item, at: this.now, state: "waiting" });
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
        this.send({ type: "page", ...input.page });
        break;
      case "alive":
        this.alive = input;
        this.aliveAt = 1;
        break;
    }
  }

  // The connection.

  private connect(): void {
    this.retryAt = 0;
    this.welcomeBy = this.now + WELCOME_WITHIN;
    this.become("connecting");
    this.effect({ type: "connect", transport: this.transport });
  }

  private sayHello(hello: Record<string, unknown>): void {
    const most = this.kind === "agent" ? 300 : 50;
    const resume = [...this.logs]
      .slice(0, most)
      .map(([conversation, log]) => ({ conversation, last_seq: log.claim() }));
    this.resumed = new Set(resume.map(({ conversation }) => conversation));
    const token = this.token && { token: this.token };
    const frame = { type: "hello", ...hello, ...token, resume } as unknown as ClientFrame;
    this.effect({ type: "send", frame });
  }

  private welcome(frame: VisitorWelcome | AgentWelcome): void {
    this.welcomeBy = this.failures = this.misses = this.drain = 0;
    this.heartbeat = frame.heartbeat_ms;
    if ("visitor" in frame) {
      this.token = frame.visitor.token;
      this.author = { kind: "visitor", id: frame.visitor.id };
    } else {
      const { id, name, picture } = frame.agent;
      this.author = { kind: "agent", id, name, ...(picture && { picture }) };
    }
    if (this.alive) this.aliveAt = 1;
    this.become("live");
    this.effect({ type: "tell", frame });
    for (const [conversation, log] of this.logs)
      if (!this.resumed.has(conversation))
        this.send({ type: "resume", conversation, last_seq: log.claim() });
    if ("conversations" in frame)
      for (const { id, last_seq } of frame.conversations)
        this.logs.get(id)?.hear(last_seq, this.now);
  }

  private disconnected(code: number): void {
    if (this.status !== "live" && this.status !== "connecting") return;
    if (code === TOO_BIG) this.outbox.failSent("too_long");
    if (FINAL.includes(code)) this.stop(code);
    else if (code === UNAUTHORISED) this.signedOut(code);
    else this.wait(code === TOO_FAST ? MAX_DELAY : undefined);
  }

  private stop(code: number): void {
    this.forgetConnection();
    this.become("stopped", code);
  }

  private signedOut(code: number): void {
    this.effect({ type: "signed_out" });
    if (this.kind === "agent") {
      this.stop(code);
      return;
    }
    this.token = undefined;
    this.logs.clear();
    this.outbox.forget();
    this.wait();
  }

  /** Come back after a while; a second miss in a row tries the other transport. */
  private wait(delay?: number): void {
    if (this.status === "connecting" && ++this.misses > 1) {
      this.misses = 1;
      this.transport = this.transport === "socket" ? "sse" : "socket";
    }
    this.forgetConnection();
    const backoff = Math.min(MAX_DELAY, FIRST_DELAY * 2 ** this.failures++);
    const own = this.drain ? this.drain + this.random() * this.drain : this.random() * backoff;
    this.drain = 0;
    this.retryAt = this.now + (delay ?? Math.round(own));
    this.become("waiting");
  }

  private forgetConnection(): void {
    this.welcomeBy = this.pingAt = this.pongBy = this.aliveAt = this.retryAt = 0;
    this.outbox.unsend();
    for (const log of this.logs.values()) {
      log.askAt = log.filling = 0;
      log.deaf = false;
      // A mark that was just sent may be lost with the connection.
      if (this.now - log.markAt < MAX_DELAY && log.delivered) log.marked = false;
    }
  }

  private lose(): void {
    this.effect({ type: "disconnect" });
    this.wait();
  }

  private drop(): void {
    if (this.status === "live" || this.status === "connecting") this.effect({ type: "disconnect" });
    this.forgetConnection();
  }

  /** The network is back or the page woke: do not wait for a timer that slept. */
  private hurry(): void {
    if (this.status === "waiting") this.connect();
    else if (this.status === "live" && !this.pongBy) this.ping();
  }

  private ping(): void {
    this.pingAt = 0;
    this.pongBy = this.now + PONG_WITHIN;
    this.send({ type: "ping" });
  }

  private tick(): void {
    for (const [key, typer] of this.typers) if (this.now >= typer.until) this.fade(key);
    if (this.retryAt && this.now >= this.retryAt) this.connect();
    else if (this.passed(this.welcomeBy) || this.passed(this.pongBy)) this.lose();
    else if (this.status === "live" && this.passed(this.pingAt)) this.ping();
  }

  private passed(time: number): boolean {
    return time > 0 && this.now >= time;
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
    this.logs.set(conversation, new Log(seq - 1));
    this.effect({ type: "started", conversation });
    this.send({ type: "resume", conversation, last_seq: seq });
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
    const log = this.logs.get(frame.ref ?? "");
    if (log && frame.code === "not_found") this.logs.delete(frame.ref as string);
    else log?.refuse(this.now + (frame.retry_after_ms ?? PONG_WITHIN));
    this.effect({ type: "tell", frame });
  }

  // Conversations that we follow, and what we say about them.

  private follow(conversation: string, lastSeq: number): void {
    if (this.logs.has(conversation)) return;
    this.logs.set(conversation, new Log(lastSeq));
    this.outbox.settle(conversation, lastSeq);
    this.send({ type: "resume", conversation, last_seq: lastSeq });
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

  /** Everything whose time has come: messages, what is missing, marks, that we are awake. */
  private sendDue(): void {
    for (const frame of this.outbox.due(this.now)) this.send(frame);
    for (const [conversation, log] of this.logs) {
      if (log.askAt && log.asks(this.now))
        this.send({ type: "resume", conversation, last_seq: log.claim() });
      if (!log.marked && this.now >= Math.max(log.markAt, this.marksFullUntil())) {
        this.countMark();
        log.marked = true;
        log.markAt = this.now + MARK_EVERY;
        this.send({ type: "mark", conversation, delivered: log.delivered, read: log.read });
      }
    }
    if (this.alive && this.passed(this.aliveAt)) {
      this.aliveAt = this.now + ALIVE_EVERY;
      this.send({ ...this.alive });
    }
  }

  private send(frame: ClientFrame): void {
    if (this.status === "live") this.effect({ type: "send", frame });
  }

  private become(status: Status, code?: number): void {
    if (status === this.status) return;
    this.status = status;
    this.effect({ type: "status", status, ...(code && { code }) });
  }

  private effect(effect: Effect): void {
    this.effects.push(effect);
  }
}
