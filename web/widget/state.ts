// What the panel knows, as signals. Enough for the first screen; what a visitor does is in `live.ts`, which
// comes a moment later.

import { batch, computed, effect, signal } from "@preact/signals";
import type { ConversationView, Desk, TypingBy, VisitorSelf } from "../protocol/types";
import type { Input, Item, Status } from "../protocol/words";
import { site } from "./boot";
import { isFramed, tellHost } from "./host";
import { kept } from "./kept";

/** So long a connection may be gone without a word, ms. */
const HITCH = 1_000;

export type Screen = "home" | "talks" | "talk";

export const status = signal<Status>("idle");
/** The close code after which the server is not asked again. */
export const stoppedBy = signal(0);
export const desk = signal<Desk>(site.desk);
export const me = signal<VisitorSelf | undefined>(undefined);
/** Latest first. */
export const conversations = signal<ConversationView[]>([]);
export const outbox = signal<Item[]>([]);
export const screen = signal<Screen>("home");
/** The conversation on the paper; null: a new one. */
export const current = signal<string | null>(null);
/** The conversation that was begun last. */
export const started = signal("");
export const typer = signal<TypingBy | undefined>(undefined);
/** Is the panel on the screen, does it fill it, and is the reader at the end of the paper? */
export const shown = signal(!isFramed);
export const full = signal(false);
export const atEnd = signal(true);
export const awake = signal(!document.hidden);
export const online = signal(navigator.onLine);
/** Bumped when the focus should go where one can type, or to the heading. */
export const focusing = signal(0);
/** The network did not let through what makes the panel talk. */
export const lacking = signal(false);
/** Files hang above the panel. */
export const hovering = signal(false);
export const sound = signal(kept.get("sound") !== "off");
/** The conversation that was rated, or not to be rated, just now. */
export const skipped = signal("");
/** When name and e-mail are asked: when nobody is there, never again after an answer, or on request. */
export const asking = signal<"away" | "always" | "never">("away");
/** What is typed and not sent, by conversation; "" is the new one. */
export const drafts = signal<Record<string, string>>(readDrafts());

/** The connection is gone, and not for a moment's hitch. The first one may take longer than another one. */
const late = signal(false);
const isGone = computed(() => status.value !== "live" && status.value !== "idle");
effect(() => {
  late.value = false;
  if (!isGone.value) return;
  const timer = setTimeout(
    () => {
      late.value = true;
    },
    me.peek() ? HITCH : 4 * HITCH,
  );
  return () => clearTimeout(timer);
});
/** Why nothing can be promised now, as the banner says it. */
export const cut = computed(() => {
  if (stoppedBy.value) return "noChat";
  if (!online.value) return "offline";
  return late.value || lacking.value ? "broken" : undefined;
});

/** What stands where somebody would be promised. */
export const unheard = (why: string) => (why === "noChat" ? why : "unsent");

export const talk = computed(() => conversations.value.find(({ id }) => id === current.value));
// What the screens look at, each for itself: a message that comes redraws no head.
export const agent = computed(() => talk.value?.agent);
export const since = computed(() => talk.value?.waiting_since);
export const standing = computed(() => talk.value?.status);
export const reached = computed(() => talk.value?.receipts.agent);
export const rating = computed(() => talk.value?.rating);
export const pending = computed(() =>
  outbox.value.filter(({ conversation }) => conversation === current.value),
);
export const unread = computed(() =>
  conversations.value.reduce((sum, conversation) => sum + conversation.unread, 0),
);

/** Everything beyond the first screen; asked for as soon as that stands, and again until it is here. */
let rest: Promise<typeof import("./rest")> | undefined;
let again: ReturnType<typeof setTimeout>;
const AGAIN = 4_000;

export function withRest<T>(act: (rest: typeof import("./rest")) => T): Promise<T> {
  rest ??= import("./rest").then(
    (here) => {
      lacking.value = false;
      return here;
    },
    (problem) => {
      rest = undefined;
      lacking.value = true;
      clearTimeout(again);
      again = setTimeout(() => withRest(() => {}).catch(() => {}), AGAIN);
      throw problem;
    },
  );
  return rest.then(act);
}

/** Where inputs for the session go, once there is one. */
export const link: { step(input: Input): void; begun(): void } = { step() {}, begun() {} };

export function typed(text: string): void {
  const key = current.value ?? "";
  const { [key]: _, ...others } = drafts.value;
  begin();
  keepDrafts(text ? { ...others, [key]: text } : others);
  if (current.value) link.step({ type: "typing", conversation: current.value, on: text !== "" });
}

export function keepDrafts(all: Record<string, string>): void {
  drafts.value = all;
  kept.set("drafts", JSON.stringify(all));
}

/** Send what stands in the composer. It stands there until it is on its way. */
export function send(): void {
  withRest(({ post }) => {
    const text = (drafts.value[current.value ?? ""] ?? "").trim();
    typed("");
    if (text) post(text);
  }).catch(() => {});
}

/** Send files. The browser empties the list it gave: hold on to them. */
export function take(list: Iterable<File> = []): void {
  const files = [...list];
  withRest(({ sendFiles }) => sendFiles(files)).catch(() => {});
}

/** Leave the paper. What is typed at home goes on where one was talking, or begins anew. */
export function turnAway(where: "home" | "talks"): void {
  const open = conversations.value.find(({ status }) => status === "open")?.id ?? null;
  batch(() => {
    screen.value = where;
    focusing.value++;
  });
  if (open !== current.value) withRest(({ turnTo }) => turnTo(open)).catch(() => {});
}

export const leave = () => tellHost("close");

/** From the first word on, this browser may keep something. */
export function begin(): void {
  if (kept.allowed) return;
  kept.allowed = true;
  link.begun();
}

/** What was kept can be read only now. */
export function recall(): void {
  drafts.value = { ...readDrafts(), ...drafts.value };
  sound.value = kept.get("sound") !== "off";
}

function readDrafts(): Record<string, string> {
  try {
    return JSON.parse(kept.get("drafts") ?? "{}");
  } catch {
    return {};
  }
}
