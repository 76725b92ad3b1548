// The page that frames the panel: who may speak, and what is said to it.

import { boot } from "./boot";

type Listener = (value: never) => void;

const listeners: Record<string, Listener> = {};
/** What was said before anybody listened, of each kind the last; of events the last few. */
const unheard: Record<string, unknown[]> = {};
const KEPT = 20;
const framed = parent !== window;
let host = "";

export const isFramed = framed;

/** Tell the page something, once it has made itself known from an allowed origin. */
export function tellHost(type: string, value?: unknown): void {
  if (host) parent.postMessage({ balie: type, value }, host);
}

export function onHost(type: string, listener: Listener): void {
  listeners[type] = listener;
  for (const value of unheard[type] ?? []) listener(value as never);
  delete unheard[type];
}

export function listenToHost(): void {
  if (!framed) return;
  addEventListener("message", ({ source, origin, data }) => {
    if (source !== parent || !boot.origins.includes(origin)) return;
    const type = data?.balie;
    if (typeof type !== "string") return;
    host = origin;
    if (type === "hello") tellHost("ready");
    if (Object.hasOwn(listeners, type)) listeners[type]?.(data.value as never);
    else
      unheard[type] = [...(unheard[type] ?? []), data.value].slice(type === "track" ? -KEPT : -1);
  });
}
