// The two ways to carry frames: a WebSocket, or where networks block those, a stream and POSTs.

import type { ClientFrame, ServerFrame } from "./types";

export interface Carrier {
  send(frame: ClientFrame): void;
  close(): void;
}

export interface CarrierEvents {
  opened(): void;
  received(frames: ServerFrame | ServerFrame[]): void;
  closed(code: number): void;
}

/** What a connection that broke off without a word is counted as. */
const BROKEN = 1006;
/** What goes in one POST; a letter takes up to 3 bytes of the 262,144 that the server takes. */
const MOST_FRAMES = 100;
const MOST_LETTERS = 64_000;

/** `path` is `/ws/visitor` or `/ws/agent`; `origin` is http(s)://HOST of Balie. */
export function openSocket(origin: string, path: string, on: CarrierEvents): Carrier {
  const socket = new WebSocket(origin.replace(/^http/, "ws") + path);
  socket.onopen = () => on.opened();
  socket.onmessage = ({ data }) => on.received(JSON.parse(data));
  socket.onclose = ({ code }) => on.closed(code);
  return {
    send: (frame) => socket.send(JSON.stringify(frame)),
    close: () => socket.close(),
  };
}

/** The first frame sent must be `hello`: it opens the stream. */
export function openStream(origin: string, path: string, on: CarrierEvents): Carrier {
  const stop = new AbortController();
  const waiting: ClientFrame[] = [];
  let session = "";
  let token = "";
  let busy = false;

  const closed = (code: number) => {
    if (stop.signal.aborted) return;
    stop.abort();
    on.closed(code);
  };
  const post = (address: string, body: unknown) =>
    fetch(origin + address, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        ...(token && { Authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
      signal: stop.signal,
    });

  /** Posts name the stream, and show whose it is: a visitor by his token, an agent by his cookie. */
  function came(welcome: ServerFrame & { type: "welcome" }) {
    session = welcome.session;
    if ("visitor" in welcome) token = welcome.visitor.token;
  }

  async function listen(hello: ClientFrame) {
    const answer = await post(path, hello);
    if (!answer.ok || !answer.body) return closed(closeCode(answer.status));
    let ending = false;
    await eachLine(answer.body, (line) => {
      if (line === "event: close") ending = true;
      if (!line.startsWith("data:")) return;
      const said = JSON.parse(line.slice(5));
      if (ending) return closed(said.code);
      const frames: ServerFrame[] = [said].flat();
      for (const frame of frames) if (frame.type === "welcome") came(frame);
      on.received(frames);
      flush();
    });
    closed(BROKEN);
  }

  async function flush() {
    if (busy || !session || !waiting.length) return;
    busy = true;
    const answer = await post(`/sse/sessions/${session}`, takeSome(waiting)).catch(() => undefined);
    busy = false;
    if (answer?.ok) flush();
    else closed(BROKEN);
  }

  queueMicrotask(() => on.opened());
  return {
    send(frame) {
      if (frame.type === "hello") listen(frame).catch(() => closed(BROKEN));
      else {
        waiting.push(frame);
        // Frames of one moment travel together.
        queueMicrotask(flush);
      }
    },
    close: () => stop.abort(),
  };
}

/** As many frames as the server takes at once; one is never too many. */
function takeSome(waiting: ClientFrame[]): ClientFrame[] {
  let count = 0;
  let size = 0;
  while (count < waiting.length && count < MOST_FRAMES) {
    size += JSON.stringify(waiting[count]).length;
    if (count && size > MOST_LETTERS) break;
    count++;
  }
  return waiting.splice(0, count);
}

/** The stream's refusal as the socket would have said it. */
function closeCode(status: number): number {
  return { 400: 4400, 401: 4401, 403: 4403, 429: 1008 }[status] ?? BROKEN;
}

async function eachLine(body: ReadableStream<Uint8Array>, take: (line: string) => void) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + decoder.decode(part.value, { stream: true })).split("\n");
    rest = lines.pop() as string;
    lines.forEach(take);
  }
}
