// What the page tells of its visitor and of what happens there: for agents, from the first word on.

import { computed, effect } from "@preact/signals";
import { ask } from "./api";
import { onHost } from "./host";
import { conversations, me } from "./state";

interface Event {
  name: string;
  detail?: unknown;
}

/** Settings of the launcher, which come by the same call. */
const SETTINGS = new Set(["site", "language", "zIndex"]);
const WAITING = 20;

/** With which conversations somebody may hear it. While there is none, nothing leaves this browser. */
const open = computed(() =>
  conversations.value
    .filter(({ status }) => status === "open")
    .map(({ id }) => id)
    .join(),
);

let attributes: Record<string, unknown> = {};
let events: Event[] = [];
let queue: Promise<unknown> = Promise.resolve();

export function hearTold(): void {
  onHost("set", (given: Record<string, unknown>) => {
    const said = Object.entries(given ?? {}).filter(([name]) => !SETTINGS.has(name));
    attributes = { ...attributes, ...Object.fromEntries(said) };
    if (open.value) tellAttributes();
  });
  onHost("track", (event: Event) => {
    // Like pages: what happened since the chat began.
    if (!open.value && me.value) return;
    events = [...events, event].slice(-WAITING);
    if (open.value) tellEvents();
  });
  effect(() => {
    if (!open.value) {
      if (me.value) events = [];
      return;
    }
    tellAttributes();
    tellEvents();
  });
}

function tellAttributes(): void {
  if (Object.keys(attributes).length) tell("PUT", "attributes", { attributes });
}

function tellEvents(): void {
  for (const { name, detail } of events.splice(0))
    tell("POST", "events", { name: `${name}`, ...(detail !== undefined && { detail }) });
}

/** One after the other, as they were said. What is refused or lost is of no use to the visitor. */
function tell(verb: string, what: string, body: unknown): void {
  queue = queue.then(() => ask(verb, `/visitor/${what}`, body)).catch(() => {});
}
