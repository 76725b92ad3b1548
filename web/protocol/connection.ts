// The shell round a session: sockets, streams, timers and the browser's own signals.

import { type Effect, type Input, Session } from "./session";
import { type Carrier, type CarrierEvents, openSocket, openStream } from "./transport";
import type { ServerFrame, WireEvent } from "./types";

export interface Settings {
  kind: "visitor" | "agent";
  /** http(s)://HOST of Balie. */
  origin: string;
  /** What `hello` says besides `resume` and the visitor's token; asked before each attempt. */
  hello(): Record<string, unknown> | Promise<Record<string, unknown>>;
  /** A page of events over HTTP: those after a number, ascending, or those just below one. */
  page(conversation: string, query: { after?: number; before?: number }): Promise<WireEvent[]>;
  /** What the session wants shown or kept: status, tell, events, outbox, started, signed_out. */
  on(effect: Effect): void;
  /** Runs `work`, which calls `on` a number of times that belong together. */
  together?(work: () => void): void;
}

/** In a burst, frames are handled together this often, so that the screen is drawn once for many. */
const BURST_MS = 50;

export class Connection {
  readonly session: Session;
  private carrier: Carrier | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waiting: Input[] = [];
  private busy = false;
  private stopListening: () => void;
  private frames: ServerFrame[] = [];
  private handledAt = 0;

  constructor(private readonly settings: Settings) {
    this.session = new Session(settings.kind, Math.random);
    this.stopListening = this.listen();
  }

  /** Hand an input to the session and do what it asks. Inputs given meanwhile wait their turn. */
  step(input: Input): void {
    this.waiting.push(input);
    if (this.busy) return;
    this.busy = true;
    const { together = (work) => work() } = this.settings;
    together(() => {
      for (let next = this.waiting.shift(); next; next = this.waiting.shift())
        for (const effect of this.session.step(next, Date.now())) this.perform(effect);
    });
    this.busy = false;
    this.schedule();
  }

  close(): void {
    this.step({ type: "shut" });
    clearTimeout(this.timer);
    this.stopListening();
  }

  private perform(effect: Effect): void {
    switch (effect.type) {
      case "connect":
        this.connect(effect.transport);
        break;
      case "disconnect":
        this.disconnect();
        break;
      case "send":
        this.carrier?.send(effect.frame);
        break;
      case "fill":
        this.fill(effect);
        break;
      default:
        this.settings.on(effect);
    }
  }

  private async connect(transport: "socket" | "sse"): Promise<void> {
    this.disconnect();
    const { kind, origin } = this.settings;
    const attempt: { carrier?: Carrier } = {};
    let hello: Record<string, unknown>;
    // Only the present attempt may speak: what an older carrier still says is nobody's.
    const mine = () => attempt.carrier !== undefined && attempt.carrier === this.carrier;
    const on: CarrierEvents = {
      opened: () => mine() && this.step({ type: "connected", hello }),
      received: (frames) => mine() && this.collect([frames].flat()),
      closed: (code) => mine() && this.lost(code),
    };
    // Holds the place while `hello` is being made.
    this.carrier = attempt.carrier = { send() {}, close() {} };
    try {
      hello = await this.settings.hello();
    } catch (problem) {
      return on.closed((problem as { code?: number }).code ?? 1006);
    }
    if (!mine()) return;
    const open = transport === "socket" ? openSocket : openStream;
    const path = `/${transport === "socket" ? "ws" : "sse"}/${kind}`;
    this.carrier = attempt.carrier = open(origin, path, on);
  }

  /** A frame that comes alone is handled at once. */
  private collect(frames: ServerFrame[]): void {
    if (this.frames.push(...frames) > frames.length) return;
    const wait = this.handledAt + BURST_MS - Date.now();
    if (wait > 0) setTimeout(() => this.handle(), wait);
    else this.handle();
  }

  private handle(): void {
    const frames = this.frames.splice(0);
    this.handledAt = Date.now();
    if (frames.length) this.step({ type: "received", frames });
  }

  private lost(code: number): void {
    this.handle();
    this.carrier = undefined;
    this.step({ type: "disconnected", code });
  }

  private disconnect(): void {
    const { carrier } = this;
    this.carrier = undefined;
    this.frames = [];
    carrier?.close();
  }

  private fill({ conversation, after, before }: Effect & { type: "fill" }): void {
    const query = after === undefined ? { before: before as number } : { after };
    this.settings.page(conversation, query).then(
      (events) => this.step({ type: "filled", conversation, events }),
      () => this.step({ type: "unfilled", conversation }),
    );
  }

  private schedule(): void {
    clearTimeout(this.timer);
    const at = this.session.wakeAt();
    if (Number.isFinite(at))
      this.timer = setTimeout(() => this.step({ type: "tick" }), Math.max(0, at - Date.now()));
  }

  private listen(): () => void {
    const online = () => this.step({ type: "online" });
    const offline = () => this.step({ type: "offline" });
    const shown = () => document.visibilityState === "visible" && this.step({ type: "woke" });
    addEventListener("online", online);
    addEventListener("offline", offline);
    document.addEventListener("visibilitychange", shown);
    return () => {
      removeEventListener("online", online);
      removeEventListener("offline", offline);
      document.removeEventListener("visibilitychange", shown);
    };
  }
}
