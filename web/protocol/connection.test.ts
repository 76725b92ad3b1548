// The shell round a session: its attempts, timers, and what the browser tells of network and sleep.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "./connection";
import type { Effect, Item } from "./session";
import type { ServerFrame, WireEvent } from "./types";

class FakeSocket {
  static made: FakeSocket[] = [];
  static get last() {
    return FakeSocket.made.at(-1) as FakeSocket;
  }
  sent: Record<string, unknown>[] = [];
  closed = false;
  onopen = () => {};
  onmessage = (_: { data: string }) => {};
  onclose = (_: { code: number }) => {};
  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
  tell(...frames: unknown[]) {
    this.onmessage({ data: JSON.stringify(frames) });
  }
  get types() {
    return this.sent.map(({ type }) => type);
  }
}

const WELCOME = {
  type: "welcome",
  session: "s1",
  now: 0,
  heartbeat_ms: 25_000,
  visitor: { id: "v1", token: "t1", verified: false },
  conversations: [],
  desk: { state: "here", agents: [] },
};
const C = "c0000000-0000-7000-8000-000000000001";
const message = (text: string, n = 1): Omit<Item, "state" | "at"> => ({
  kind: "post",
  client_message_id: `01900000-0000-7000-8000-00000000000${n}`,
  conversation: C,
  text,
  files: [],
});
const event = (seq: number): WireEvent =>
  ({
    seq,
    type: "message.posted",
    at: 1,
    author: { kind: "agent", id: "a" },
    data: { text: "" },
  }) as WireEvent;

let told: Effect[];
let connection: Connection;
let hello: () => Record<string, unknown> | Promise<Record<string, unknown>>;
let pages: ((events: WireEvent[] | undefined) => void)[];
let visible: string;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.spyOn(document, "visibilityState", "get").mockImplementation(() => visible as never);
  FakeSocket.made = [];
  visible = "visible";
  told = [];
  pages = [];
  hello = () => ({ site: "K" });
  connection = new Connection({
    kind: "visitor",
    origin: "https://balie.example",
    hello: () => hello(),
    page: () =>
      new Promise((give, fail) => {
        pages.push((events) => (events ? give(events) : fail(new Error("no"))));
      }),
    on: (effect) => told.push(effect),
  });
});

afterEach(() => {
  connection.close();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const later = (time: number) => vi.advanceTimersByTimeAsync(time);
const statuses = () => told.flatMap((each) => (each.type === "status" ? [each.status] : []));

async function live() {
  connection.step({ type: "open" });
  await later(0);
  FakeSocket.last.onopen();
  FakeSocket.last.tell(WELCOME);
  await later(60);
  return FakeSocket.last;
}

describe("a socket's life", () => {
  it("greets, comes alive, and says what waited", async () => {
    connection.step({ type: "post", item: message("hallo") });
    const socket = await live();
    expect(socket.types).toEqual(["hello", "post"]);
    expect(statuses()).toEqual(["connecting", "live"]);
  });

  it("comes back later and later, over the stream after two misses, and at once when it stood", async () => {
    const tries: string[] = [];
    vi.stubGlobal("fetch", async (address: string) => {
      tries.push(address);
      throw new Error("blocked");
    });
    connection.step({ type: "open" });
    await later(0);
    FakeSocket.last.onclose({ code: 1006 });
    await later(249);
    expect(FakeSocket.made).toHaveLength(1);
    await later(2);
    expect(FakeSocket.made).toHaveLength(2);
    FakeSocket.last.onclose({ code: 1006 });
    await later(501);
    expect(tries).toEqual(["https://balie.example/sse/visitor"]);
    await later(1_001);
    expect(FakeSocket.made).toHaveLength(3);
    FakeSocket.last.onopen();
    FakeSocket.last.tell(WELCOME);
    await later(10_000);
    FakeSocket.last.onclose({ code: 1012 });
    await later(251);
    expect(FakeSocket.made).toHaveLength(4);
  });

  it("gives up a handshake that nobody answers", async () => {
    connection.step({ type: "open" });
    await later(10_000);
    expect(FakeSocket.made[0]?.closed).toBe(true);
    await later(250);
    expect(FakeSocket.made).toHaveLength(2);
  });

  it("asks whether anybody is there, and gives up when nobody is", async () => {
    const socket = await live();
    await later(25_100);
    expect(socket.types).toEqual(["hello", "ping"]);
    await later(5_000);
    expect(socket.closed).toBe(true);
    expect(statuses().at(-1)).toBe("waiting");
  });

  it("hears nothing of a carrier that it let go", async () => {
    const old = await live();
    connection.step({ type: "shut" });
    const before = told.length;
    old.tell({ type: "events", conversation: C, events: [event(1)] });
    old.onclose({ code: 4401 });
    await later(60);
    expect(told.slice(before)).toEqual([]);
  });

  it("takes what was heard last before the end", async () => {
    const socket = await live();
    connection.step({ type: "follow", conversation: C, last_seq: 0 });
    socket.tell({ type: "events", conversation: C, events: [event(1)] });
    socket.tell({ type: "events", conversation: C, events: [event(2)] });
    socket.onclose({ code: 1006 });
    const shown = told.flatMap((each) => (each.type === "events" ? each.events : []));
    expect(shown.map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it("sends again what no ack came for, once it is back", async () => {
    const first = await live();
    connection.step({ type: "post", item: message("hallo") });
    first.onclose({ code: 1006 });
    await later(251);
    FakeSocket.last.onopen();
    FakeSocket.last.tell(WELCOME);
    await later(60);
    const again = FakeSocket.last.sent.filter(({ type }) => type === "post");
    expect(again).toEqual(first.sent.filter(({ type }) => type === "post"));
  });
});

describe("what hello needs", () => {
  it("is asked before every attempt", async () => {
    let count = 0;
    hello = async () => ({ ticket: `${++count}` });
    const socket = await live();
    expect(socket.sent[0]).toMatchObject({ ticket: "1" });
    socket.onclose({ code: 1006 });
    await later(251);
    FakeSocket.last.onopen();
    expect(FakeSocket.last.sent[0]).toMatchObject({ ticket: "2" });
  });

  it("counts as a close when it cannot be had", async () => {
    hello = () => Promise.reject({ code: 4403 });
    connection.step({ type: "open" });
    await later(0);
    expect(FakeSocket.made).toHaveLength(0);
    expect(told.at(-1)).toEqual({ type: "status", status: "stopped", code: 4403 });
  });

  it("opens nothing when it comes after we were shut", async () => {
    let give = (_: Record<string, unknown>) => {};
    hello = () =>
      new Promise((done) => {
        give = done;
      });
    connection.step({ type: "open" });
    connection.step({ type: "shut" });
    give({ site: "K" });
    await later(100);
    expect(FakeSocket.made).toHaveLength(0);
  });
});

describe("what the browser says", () => {
  it("offline ends the connection, online brings it back at once", async () => {
    const socket = await live();
    dispatchEvent(new Event("offline"));
    expect(socket.closed).toBe(true);
    expect(statuses().at(-1)).toBe("waiting");
    dispatchEvent(new Event("online"));
    await later(0);
    expect(FakeSocket.made).toHaveLength(2);
  });

  it("a page that is seen again asks whether the socket is still there", async () => {
    const socket = await live();
    visible = "hidden";
    document.dispatchEvent(new Event("visibilitychange"));
    expect(socket.types).toEqual(["hello"]);
    visible = "visible";
    document.dispatchEvent(new Event("visibilitychange"));
    expect(socket.types).toEqual(["hello", "ping"]);
  });

  it("a page that slept past its timers comes back at once", async () => {
    await live();
    FakeSocket.last.onclose({ code: 1006 });
    document.dispatchEvent(new Event("visibilitychange"));
    await later(0);
    expect(FakeSocket.made).toHaveLength(2);
  });

  it("nobody wakes it after a close for too many frames", async () => {
    const socket = await live();
    socket.onclose({ code: 1008 });
    dispatchEvent(new Event("online"));
    document.dispatchEvent(new Event("visibilitychange"));
    await later(29_000);
    expect(FakeSocket.made).toHaveLength(1);
    await later(2_000);
    expect(FakeSocket.made).toHaveLength(2);
  });

  it("is not listened to after close", async () => {
    await live();
    connection.close();
    dispatchEvent(new Event("online"));
    await later(60_000);
    expect(FakeSocket.made).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("holes", () => {
  const resync = { type: "resync", conversation: C, last_seq: 9 } as ServerFrame;

  it("are filled over HTTP, and asked for again when that fails", async () => {
    const socket = await live();
    connection.step({ type: "follow", conversation: C, last_seq: 7 });
    socket.tell(resync);
    await later(60);
    pages.shift()?.(undefined);
    await later(5_100);
    expect(socket.types.filter((type) => type === "resume")).toHaveLength(2);
    socket.tell(resync);
    await later(60);
    pages.shift()?.([event(8), event(9)]);
    await later(0);
    const shown = told.flatMap((each) => (each.type === "events" ? each.events : []));
    expect(shown.map(({ seq }) => seq)).toEqual([8, 9]);
  });
});

it("handles the frames of a burst together", async () => {
  const socket = await live();
  let draws = 0;
  const settings = (
    connection as unknown as { settings: { together?: (work: () => void) => void } }
  ).settings;
  settings.together = (work) => {
    draws++;
    work();
  };
  connection.step({ type: "follow", conversation: C, last_seq: 0 });
  draws = 0;
  for (let seq = 1; seq <= 100; seq++)
    socket.tell({ type: "events", conversation: C, events: [event(seq)] });
  await later(100);
  expect(draws).toBeLessThanOrEqual(3);
  expect(told.flatMap((each) => (each.type === "events" ? each.events : []))).toHaveLength(100);
});
