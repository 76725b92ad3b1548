import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, expect, it, vi } from "vitest";
import type { Row, WireEvent } from "../../protocol/types";
import { changeDraft, draftOf } from "../state/drafts";
import { words } from "../state/me";
import { held } from "../state/outbox";
import { nl } from "../words/nl";
import { Composer } from "./Composer";

type Listener = (conversation: string, events: WireEvent[]) => void;
const live = vi.hoisted(() => ({ listeners: new Set<Listener>() }));

vi.mock("../state/link", () => ({
  typers: { value: {} },
  tell: () => {},
  onEvents: (listener: Listener) => {
    live.listeners.add(listener);
    return () => live.listeners.delete(listener);
  },
}));

const row = {
  id: "c1",
  status: "open",
  agent: { id: "a1", name: "Noor" },
  visitor: { id: "v1", name: "Els Vink", email: null, verified: false, online: true },
} as unknown as Row;

const place = document.createElement("div");
document.body.append(place);

beforeEach(() => {
  words.value = nl;
  held.value = [];
  render(null, place);
  changeDraft(row.id, { text: "Vrijdag kan.", files: [] });
  return act(() => render(<Composer row={row} atEnd showEnd={() => {}} />, place));
});

const strip = () => place.querySelector(".strip")?.textContent ?? "";
const sent = () => held.value.map((item) => item.text);

function visitorSays(): Promise<void> {
  const author = { kind: "visitor" as const, id: "v1" };
  const event = { seq: 2, type: "message.posted" as const, at: 0, author, data: { text: "Of za" } };
  return act(() => {
    for (const listener of live.listeners) listener(row.id, [event]);
  });
}

function pressEnter(): Promise<void> {
  const press = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true });
  return act(async () => {
    place.querySelector("textarea")?.dispatchEvent(press);
  });
}

it("sends at the first Enter when nothing new was said", async () => {
  await pressEnter();
  expect(sent()).toEqual(["Vrijdag kan."]);
});

it("says that an answer did not go because something new was said, and sends it at the next Enter", async () => {
  await visitorSays();
  expect(strip()).toContain(nl.composer.new_while("Els"));
  await pressEnter();
  expect(sent()).toEqual([]);
  expect(draftOf(row.id).value.text).toBe("Vrijdag kan.");
  expect(strip()).toContain(nl.composer.not_sent);
  await pressEnter();
  expect(sent()).toEqual(["Vrijdag kan."]);
  expect(strip()).toBe("");
});

it("stops an answer once, however much is said meanwhile", async () => {
  await visitorSays();
  await pressEnter();
  await visitorSays();
  expect(strip()).toContain(nl.composer.not_sent);
  await pressEnter();
  expect(sent()).toEqual(["Vrijdag kan."]);
});

it("does not stop an answer for what has been in sight for a while", async () => {
  vi.useFakeTimers();
  await visitorSays();
  await act(() => {
    vi.advanceTimersByTime(2_000);
  });
  vi.useRealTimers();
  await pressEnter();
  expect(sent()).toEqual(["Vrijdag kan."]);
});
