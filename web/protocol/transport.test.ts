// What the shell does with a WebSocket, and with a stream and POSTs, as the network does what networks do.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Carrier, openSocket, openStream } from "./transport";
import type { ClientFrame, ServerFrame } from "./types";

const WELCOME = { type: "welcome", session: "s1" } as ServerFrame;
const HELLO = { type: "hello", site: "K" } as unknown as ClientFrame;
const ping = { type: "ping" } as ClientFrame;
const says = (text: string) => ({ type: "post", text }) as unknown as ClientFrame;
const settled = () => new Promise((done) => setTimeout(done));

let heard: (string | number)[];
const on = {
  opened: () => heard.push("opened"),
  received: (frames: ServerFrame | ServerFrame[]) =>
    heard.push(...[frames].flat().map(({ type }) => type)),
  closed: (code: number) => heard.push(code),
};

beforeEach(() => {
  heard = [];
});
afterEach(() => vi.unstubAllGlobals());

class FakeSocket {
  static last: FakeSocket;
  sent: string[] = [];
  closed = false;
  onopen = () => {};
  onmessage = (_: { data: string }) => {};
  onclose = (_: { code: number }) => {};
  constructor(readonly url: string) {
    FakeSocket.last = this;
  }
  send(text: string) {
    this.sent.push(text);
  }
  close() {
    this.closed = true;
  }
}

it("speaks JSON over a socket of the same host, and hears one frame or many", () => {
  vi.stubGlobal("WebSocket", FakeSocket);
  const carrier = openSocket("https://balie.example", "/ws/visitor", on);
  const socket = FakeSocket.last;
  expect(socket.url).toBe("wss://balie.example/ws/visitor");
  socket.onopen();
  carrier.send(ping);
  expect(socket.sent).toEqual(['{"type":"ping"}']);
  socket.onmessage({ data: '{"type":"pong"}' });
  socket.onmessage({ data: '[{"type":"welcome"},{"type":"ack"}]' });
  socket.onclose({ code: 1012 });
  expect(heard).toEqual(["opened", "pong", "welcome", "ack", 1012]);
  carrier.close();
  expect(socket.closed).toBe(true);
});

/** A server of streams: `posts` are what came in, `down` what goes to the one open stream. */
function server(answers: { stream?: number; post?: () => number } = {}) {
  const posts: { address: string; body: unknown }[] = [];
  const shown: (string | null)[] = [];
  const encoder = new TextEncoder();
  let stream: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      stream = controller;
    },
  });
  vi.stubGlobal("fetch", async (address: string, { body: text, signal, headers }: RequestInit) => {
    if (signal?.aborted) throw new Error("aborted");
    shown.push(new Headers(headers).get("authorization"));
    posts.push({ address, body: JSON.parse(text as string) });
    if (address.includes("/sse/sessions/"))
      return new Response("", { status: answers.post?.() ?? 202 });
    return new Response(answers.stream ? "{}" : body, { status: answers.stream ?? 200 });
  });
  return {
    posts,
    shown,
    down: (text: string) => stream.enqueue(encoder.encode(text)),
    end: () => stream.close(),
    frames: () => posts.slice(1).flatMap(({ body }) => body as ClientFrame[]),
  };
}

const tell = (frame: unknown) => `data: ${JSON.stringify(frame)}\n\n`;

async function open(): Promise<Carrier> {
  const carrier = openStream("https://balie.example", "/sse/visitor", on);
  await settled();
  carrier.send(HELLO);
  await settled();
  return carrier;
}

it("opens a stream with the hello, and posts what is said before the welcome after it", async () => {
  const { posts, down } = server();
  const carrier = await open();
  expect(posts).toEqual([{ address: "https://balie.example/sse/visitor", body: HELLO }]);
  carrier.send(says("een"));
  carrier.send(says("twee"));
  await settled();
  expect(posts).toHaveLength(1);
  down(tell([WELCOME, { type: "events" }]));
  await settled();
  expect(posts.slice(1)).toEqual([
    { address: "https://balie.example/sse/sessions/s1", body: [says("een"), says("twee")] },
  ]);
  expect(heard).toEqual(["opened", "welcome", "events"]);
});

it("shows the visitor's token with each post, once it has one", async () => {
  const { down, shown } = server();
  const carrier = await open();
  down(tell({ ...WELCOME, visitor: { id: "v1", token: "t1" } }));
  carrier.send(says("een"));
  await settled();
  carrier.send(says("twee"));
  await settled();
  expect(shown).toEqual([null, "Bearer t1", "Bearer t1"]);
});

it("reads lines that come in pieces, letters too, and no comments", async () => {
  const { down } = server();
  const found: string[] = [];
  const carrier = openStream("https://balie.example", "/sse/visitor", {
    ...on,
    received: (frames) => found.push(JSON.stringify(frames)),
  });
  await settled();
  carrier.send(HELLO);
  await settled();
  const text = `: still here\n\n${tell({ type: "events", text: "één ✓" })}`;
  for (const letter of text) down(letter);
  await settled();
  expect(found).toEqual(['[{"type":"events","text":"één ✓"}]']);
});

it("closes with the code that the stream names", async () => {
  const { down, end } = server();
  await open();
  down(tell(WELCOME));
  down('event: close\ndata: {"code":4401,"reason":"signed out"}\n\n');
  end();
  await settled();
  expect(heard).toEqual(["opened", "welcome", 4401]);
});

it("is broken when the stream ends without a word", async () => {
  const { down, end } = server();
  await open();
  down(tell(WELCOME));
  end();
  await settled();
  expect(heard).toEqual(["opened", "welcome", 1006]);
});

it.each([
  [400, 4400],
  [401, 4401],
  [403, 4403],
  [429, 1008],
  [502, 1006],
])("takes the answer %i to a hello for the close %i", async (stream, code) => {
  server({ stream });
  await open();
  expect(heard).toEqual(["opened", code]);
});

it("is broken when a post is refused, once, and says nothing more", async () => {
  const { down, posts } = server({ post: () => 404 });
  const carrier = await open();
  down(tell(WELCOME));
  carrier.send(ping);
  await settled();
  carrier.send(ping);
  await settled();
  expect(heard).toEqual(["opened", "welcome", 1006]);
  expect(posts).toHaveLength(2);
});

it("sends one post after the other, in order, and never more than the server takes", async () => {
  const { down, posts, frames } = server();
  const carrier = await open();
  down(tell(WELCOME));
  const said = Array.from({ length: 250 }, (_, n) =>
    says(`${n} ${"x".repeat(n % 50 ? 10 : 20_000)}`),
  );
  for (const frame of said) carrier.send(frame);
  await settled();
  await settled();
  expect(frames()).toEqual(said);
  expect(posts.length).toBeGreaterThan(3);
  for (const { body } of posts.slice(1)) {
    expect((body as unknown[]).length).toBeLessThanOrEqual(200);
    expect(JSON.stringify(body).length).toBeLessThan(262_144 / 3);
  }
});

it("is silent after it was closed", async () => {
  const { down, end } = server();
  const carrier = await open();
  carrier.close();
  down(tell(WELCOME));
  end();
  await settled();
  expect(heard.filter((each) => each !== "welcome")).toEqual(["opened"]);
});
