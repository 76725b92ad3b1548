// What a session is told, and what it answers. Explained in README.md.

import type { Item } from "./outbox";

export type { Item } from "./outbox";

import type { ClientFrame, PageMoved, ServerFrame, WireEvent } from "./types";

export type Input =
  | { type: "open" }
  | { type: "shut" }
  | { type: "connected"; hello: Record<string, unknown> }
  | { type: "disconnected"; code: number }
  | { type: "received"; frames: ServerFrame | ServerFrame[] }
  | { type: "tick" }
  | { type: "online" }
  | { type: "offline" }
  | { type: "woke" }
  | { type: "restore"; items: Item[] }
  | { type: "post"; item: Omit<Item, "state" | "at"> }
  | { type: "retry"; client_message_id: string }
  | { type: "discard"; client_message_id: string }
  | { type: "follow"; conversation: string; last_seq: number }
  | { type: "leave"; conversation: string }
  | { type: "filled"; conversation: string; events: WireEvent[] }
  | { type: "unfilled"; conversation: string }
  | { type: "mark"; conversation: string; delivered?: number; read?: number }
  | { type: "typing"; conversation: string; on: boolean }
  | { type: "page"; page: Omit<PageMoved, "type"> }
  | { type: "identify" }
  | { type: "identified"; visitor?: { id: string; token: string } }
  | { type: "alive"; awake: boolean; status: "available" | "away" };

/** `stopped`: the server will not have us (`code`); only `open` tries again. */
export type Status = "idle" | "connecting" | "live" | "waiting" | "stopped";
export type Transport = "socket" | "sse";

export type Effect =
  | { type: "connect"; transport: Transport }
  | { type: "disconnect" }
  | { type: "send"; frame: ClientFrame }
  | { type: "status"; status: Status; code?: number }
  | { type: "tell"; frame: ServerFrame }
  | { type: "events"; conversation: string; events: WireEvent[] }
  | { type: "fill"; conversation: string; after?: number; before?: number }
  | { type: "outbox"; items: Item[] }
  | { type: "started"; conversation: string }
  | { type: "reset"; conversation: string }
  | { type: "signed_out" };
