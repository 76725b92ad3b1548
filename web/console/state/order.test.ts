import { describe, expect, it } from "vitest";
import type { Row } from "../../protocol/types";
import { arrange, holdStill, supersedes } from "./order";

const ME = "me";

function row(id: string, more: Partial<Row> = {}): Row {
  const receipts = { visitor: { delivered: 0, read: 0 }, agent: { delivered: 0, read: 0 } };
  const rest = { status: "open", last_seq: 1, unread: 0, receipts, started_at: 0 } as const;
  const visitor = { id: `v${id}`, verified: false, online: false };
  return { ...rest, id, site: "s", visitor, tags: [], ...more };
}

const mine = { agent: { id: ME, name: "Noor" } };
const theirs = { agent: { id: "sem", name: "Sem" } };
const said = (at: number) =>
  ({ last_message: { seq: 1, at, author_kind: "visitor", text: "" } }) as const;

describe("the order of the list", () => {
  it("puts every conversation in the section of who must act", () => {
    const rows = [
      row("a", { ...mine, waiting_since: 1 }),
      row("b", mine),
      row("c", { waiting_since: 1 }),
      row("d", theirs),
      row("e", { ...mine, status: "closed", closed_at: 5 }),
    ];
    expect(arrange(rows, ME)).toEqual({
      mine: ["a"],
      customer: ["b"],
      queue: ["c"],
      team: ["d"],
      closed: ["e"],
    });
  });

  it("has the longest wait on top, whatever came last", () => {
    const rows = [
      row("late", { ...mine, waiting_since: 100, ...said(900) }),
      row("later", { ...mine, waiting_since: 50, ...said(100) }),
      row("fresh", { ...mine, waiting_since: 800, ...said(1_000) }),
    ];
    expect(arrange(rows, ME).mine).toEqual(["later", "late", "fresh"]);
  });

  it("has the latest on top where the customer must act", () => {
    const rows = [row("old", { ...mine, ...said(1) }), row("new", { ...mine, ...said(9) })];
    expect(arrange(rows, ME).customer).toEqual(["new", "old"]);
  });

  it("holds still: who was there stays in place, who is new comes last, who is gone is gone", () => {
    const none = { mine: [], customer: [], team: [], closed: [] };
    const shown = { ...none, queue: ["a", "b", "c"] };
    const wanted = { ...none, queue: ["d", "c", "a"] };
    expect(holdStill(shown, wanted).queue).toEqual(["a", "c", "d"]);
  });

  it("holds still who changes section, and shows him once", () => {
    const shown = { mine: ["a", "b"], queue: ["c"], customer: ["d"], team: [], closed: [] };
    const wanted = { mine: ["b", "c"], queue: [], customer: ["a", "d"], team: [], closed: [] };
    expect(holdStill(shown, wanted)).toEqual(shown);
  });

  it("believes the longer log, and of equals the later word", () => {
    expect(supersedes(row("a", { last_seq: 4 }), row("a", { last_seq: 5 }))).toBe(false);
    expect(supersedes(row("a", { last_seq: 5 }), row("a", { last_seq: 5 }))).toBe(true);
  });
});
