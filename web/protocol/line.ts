// How a client keeps its connection: tries, greets, listens for silence, comes back. The base of the session.

import type { Log } from "./log";
import { Outbox } from "./outbox";
import { Pace } from "./pace";
import type { AgentWelcome, Alive, Author, ClientFrame, PageMoved, VisitorWelcome } from "./types";
import type { Effect, Status, Transport } from "./words";

const WELCOME_WITHIN = 10_000;
export const PONG_WITHIN = 5_000;
const FIRST_DELAY = 500;
export const MAX_DELAY = 30_000;
/** A connection that ends sooner counts as a failed attempt, welcome or not. */
const STEADY_AFTER = 10_000;
const SCOLDED_DELAY = 30_000;
const MAX_SCOLDED = 300_000;
/** Since the last close for too many frames; within it the next one counts double. */
const FORGIVEN_AFTER = 600_000;
/** How long whoever got a new id waits for its token before beginning anew. */
const TOKEN_WITHIN = 10_000;
/** Close codes after which trying again would be wrong. */
const FINAL = [1003, 1007, 4400, 4403];
const UNAUTHORISED = 4401;
const RENAMED = 4409;
const TOO_FAST = 1008;
const TOO_BIG = 1009;

export class Line {
  status: Status = "idle";
  transport: Transport = "socket";
  readonly logs = new Map<string, Log>();
  readonly outbox = new Outbox();
  readonly pace = new Pace();
  /** Who we are, from the last `welcome`; goes with what we send. */
  author: Author;
  token: string | undefined;

  protected now = 0;
  protected effects: Effect[] = [];
  /** When: to ask whether anybody is there · to give up. */
  protected pingAt = 0;
  protected pongBy = 0;
  /** When: the connection must stand · to try again. */
  protected welcomeBy = 0;
  protected retryAt = 0;
  protected heartbeat = 0;
  protected alive: Alive | undefined;
  protected aliveAt = 0;
  /** The page that is to be told, the one that was, and when. */
  protected page: PageMoved | undefined;
  protected toldPage: PageMoved | undefined;
  protected pageAt = Number.NEGATIVE_INFINITY;
  /** A proof of identity is under way. */
  protected identifying = false;

  private failures = 0;
  private steadyAt = 0;
  private misses = 0;
  protected drain = 0;
  /** Conversations that the last `hello` asked to resume, and whether there was one. */
  private resumed = new Set<string>();
  private greeted = false;
  /** Closes for too many frames: how many in a row, when the last was, and before when not to come back. */
  private scoldings = 0;
  private scoldedAt = Number.NEGATIVE_INFINITY;
  private bannedUntil = 0;
  /** The server has given us a new id, its token is to come. */
  private renamed = false;

  constructor(
    readonly kind: "visitor" | "agent",
    private readonly random: () => number,
  ) {
    this.author = { kind };
  }

  /** Connect as soon as we may. */
  private comeBack(): void {
    if (this.identifying && this.author.id) {
      // Under the old id everything would be strange to us.
      this.retryAt = 0;
      this.become("waiting");
    } else if (this.now < this.bannedUntil) {
      this.retryAt = this.bannedUntil;
      this.become("waiting");
    } else this.connect();
  }

  private connect(): void {
    this.retryAt = 0;
    this.greeted = false;
    this.welcomeBy = this.now + WELCOME_WITHIN;
    this.become("connecting");
    this.effect({ type: "connect", transport: this.transport });
  }

  protected sayHello(hello: Record<string, unknown>): void {
    const most = this.kind === "agent" ? 300 : 50;
    const resume = [...this.logs]
      .slice(0, most)
      .map(([conversation, log]) => ({ conversation, last_seq: log.greet() }));
    this.resumed = new Set(resume.map(({ conversation }) => conversation));
    this.greeted = true;
    // A page that is to be known stands in the hello.
    this.page = undefined;
    const token = this.token && { token: this.token };
    const frame = { type: "hello", ...hello, ...token, resume } as unknown as ClientFrame;
    this.effect({ type: "send", frame });
  }

  protected welcome(frame: VisitorWelcome | AgentWelcome): void {
    this.welcomeBy = this.misses = this.drain = 0;
    this.steadyAt = this.now + STEADY_AFTER;
    this.heartbeat = frame.heartbeat_ms;
    if ("visitor" in frame) {
      this.token = frame.visitor.token;
      this.author = { kind: "visitor", id: frame.visitor.id };
      this.outbox.own(frame.visitor);
    } else {
      const { id, name, picture } = frame.agent;
      this.author = { kind: "agent", id, name, ...(picture && { picture }) };
    }
    if (this.alive) this.aliveAt = 1;
    this.pace.begin(this.now);
    this.become("live");
    this.effect({ type: "tell", frame });
    for (const [conversation, log] of this.logs)
      if (!this.resumed.has(conversation)) log.listen(this.now);
    if ("conversations" in frame)
      for (const { id, last_seq } of frame.conversations)
        this.logs.get(id)?.hear(last_seq, this.now);
  }

  protected disconnected(code: number): void {
    if (!this.isConnected) return;
    this.forgive();
    if (code === TOO_BIG) this.outbox.failSent("too_long");
    if (FINAL.includes(code)) this.stop(code);
    else if (code === RENAMED || (code === UNAUTHORISED && this.identifying)) this.awaitToken();
    else if (code === UNAUTHORISED) this.signedOut(code);
    else if (code === TOO_FAST) this.scolded();
    else this.wait();
  }

  private stop(code: number): void {
    this.forgetConnection();
    this.become("stopped", code);
  }

  /** We were far too fast: stay away, each time longer, and go slowly afterwards. */
  private scolded(): void {
    const calm = this.now - this.scoldedAt > FORGIVEN_AFTER;
    this.scoldings = calm ? 1 : this.scoldings + 1;
    this.scoldedAt = this.now;
    const delay = Math.min(MAX_SCOLDED, SCOLDED_DELAY * 2 ** (this.scoldings - 1));
    this.bannedUntil = this.now + delay;
    this.pace.slowDown(this.now);
    this.wait(delay);
  }

  private signedOut(code: number): void {
    if (this.kind === "agent" && this.greeted) {
      // A ticket does not outlive its server: whether the session does, asking for a new one will tell.
      this.wait(this.failures ? undefined : 0);
      return;
    }
    if (this.kind === "agent") {
      this.effect({ type: "signed_out" });
      this.stop(code);
      return;
    }
    this.beginAnew();
    this.wait();
  }

  /** Nobody knows us any more: a new visitor, with the unsent text of the old one. */
  private beginAnew(): void {
    this.effect({ type: "signed_out" });
    this.renamed = false;
    this.token = undefined;
    this.author = { kind: this.kind };
    this.outbox.own();
    this.logs.clear();
    this.outbox.forget();
  }

  // A new id: the token for it comes over HTTP, to us or to another tab of this browser.

  private awaitToken(): void {
    this.renamed = true;
    this.wait(TOKEN_WITHIN);
    if (this.identifying) this.retryAt = 0;
  }

  protected identify(): void {
    this.identifying = this.outbox.held = true;
    if (this.renamed) this.retryAt = 0;
  }

  protected identified(visitor?: { id: string; token: string }): void {
    this.identifying = this.outbox.held = false;
    if (visitor) {
      // Whether he is proven, the next welcome says.
      if (visitor.id !== this.author.id) this.outbox.own();
      this.renamed = false;
      this.token = visitor.token;
    }
    if (this.status === "waiting") this.retry();
    else if (visitor && visitor.id !== this.author.id && this.isConnected) this.changeOver();
  }

  protected get isConnected(): boolean {
    return this.status === "live" || this.status === "connecting";
  }

  /** On a new connection, perhaps as somebody else. */
  private changeOver(): void {
    this.drop();
    this.status = "waiting";
    this.connect();
  }

  /** Come back after a while; a second miss in a row tries the other transport. */
  private wait(delay?: number): void {
    if (this.status === "connecting" && ++this.misses > 1) {
      this.misses = 1;
      this.transport = this.transport === "socket" ? "sse" : "socket";
    }
    this.forgive();
    this.forgetConnection();
    const backoff = Math.min(MAX_DELAY, FIRST_DELAY * 2 ** this.failures++);
    const own = this.drain ? this.drain + this.random() * this.drain : this.random() * backoff;
    this.drain = 0;
    this.retryAt = this.now + (delay ?? Math.round(own));
    this.become("waiting");
  }

  /** A connection that lasted makes up for those that did not. */
  private forgive(): void {
    if (this.steadyAt && this.now >= this.steadyAt) this.failures = 0;
    this.steadyAt = 0;
  }

  private forgetConnection(): void {
    this.welcomeBy = this.pingAt = this.pongBy = this.aliveAt = this.retryAt = 0;
    this.outbox.unsend();
    for (const log of this.logs.values()) {
      log.askAt = log.filling = 0;
      log.deaf = false;
    }
    this.doubtMarks();
  }

  /** A mark that was just sent may be lost with the connection, or was refused without a name. */
  protected doubtMarks(): void {
    for (const log of this.logs.values())
      if (this.now - log.markAt < MAX_DELAY && log.delivered) log.marked = false;
  }

  protected lose(): void {
    this.effect({ type: "disconnect" });
    this.wait();
  }

  protected drop(): void {
    if (this.isConnected) this.effect({ type: "disconnect" });
    this.forgetConnection();
  }

  /** The network is back or the page woke: do not wait for a timer that slept. What was dialled without a
   * network waits for an answer that may never come. */
  protected hurry(isBack: boolean): void {
    if (this.status === "waiting") {
      if (!this.renamed) this.comeBack();
    } else if (isBack && this.status === "connecting") this.changeOver();
    else if (this.status === "live" && !this.pongBy) this.ping();
  }

  private ping(): void {
    this.pingAt = 0;
    this.pongBy = this.now + PONG_WITHIN;
    this.send({ type: "ping" });
  }

  /** A time has come: try again, give up, or ask whether anybody is there. */
  protected keep(): void {
    if (this.passed(this.retryAt)) this.retry();
    else if (this.passed(this.welcomeBy) || this.passed(this.pongBy)) this.lose();
    else if (this.status === "live" && this.passed(this.pingAt)) this.ping();
  }

  protected retry(): void {
    if (this.renamed) this.beginAnew();
    this.comeBack();
  }

  protected passed(time: number): boolean {
    return time > 0 && this.now >= time;
  }

  protected send(frame: ClientFrame): void {
    if (this.status === "live") this.effect({ type: "send", frame });
  }

  protected become(status: Status, code?: number): void {
    if (status === this.status) return;
    this.status = status;
    this.effect({ type: "status", status, ...(code && { code }) });
  }

  protected effect(effect: Effect): void {
    this.effects.push(effect);
  }
}
