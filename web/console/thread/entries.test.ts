import { expect, it } from "vitest";
import type { WireEvent } from "../../protocol/types";
import { Entries, describe as look } from "./entries";

const NOON = new Date(2026, 10, 22, 12).getTime();

function said(seq: number, by: "visitor" | "agent", at = NOON + seq * 1000): WireEvent {
  return { seq, type: "message.posted", at, author: { kind: by, id: by }, data: { text: "" } };
}

const log = (...events: WireEvent[]) => {
  const found = new Map(events.map((event) => [event.seq, event]));
  return (seq: number) => found.get(seq);
};

it("groups what one person says in a row", () => {
  const find = log(said(1, "visitor"), said(2, "visitor"), said(3, "agent"));
  expect(look(1, find)).toMatchObject({ opensGroup: true, endsGroup: false });
  expect(look(2, find)).toMatchObject({ opensGroup: false, endsGroup: true });
  expect(look(3, find)).toMatchObject({ opensGroup: true, endsGroup: true });
});

it("looks past what is not shown", () => {
  const hidden: WireEvent = { seq: 2, type: "internal" };
  const find = log(said(1, "visitor"), hidden, said(3, "visitor"));
  expect(look(2, find)).toBeNull();
  expect(look(3, find)).toMatchObject({ opensGroup: false });
});

it("begins a group anew after five minutes, and a day at midnight", () => {
  const find = log(
    said(1, "visitor"),
    said(2, "visitor", NOON + 400_000),
    said(3, "visitor", NOON + 86_400_000),
  );
  expect(look(2, find)).toMatchObject({ opensGroup: true, opensDay: false });
  expect(look(3, find)).toMatchObject({ opensGroup: true, opensDay: true });
});

it("hands out the same entry while it looks the same", () => {
  const events = [said(1, "visitor")];
  const entries = new Entries((seq) => events[seq - 1]);
  const before = entries.at(1);
  expect(entries.at(1)).toBe(before);
  events.push(said(2, "visitor"));
  expect(entries.at(1)).not.toBe(before);
  expect(entries.at(3)).toBeUndefined();
});
