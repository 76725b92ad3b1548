import { beforeAll, expect, test } from "vitest";
import type { WireEvent } from "../protocol/types";

let rows: typeof import("./rows");

beforeAll(async () => {
  const words = (await import("./languages/nl.json")).default;
  document.head.innerHTML = `<script type="application/json" id="balie-boot">${JSON.stringify({
    language: "nl",
    words,
    state: { key: "k", name: "Kade 9", texts: {} },
  })}</script>`;
  rows = await import("./rows");
});

const NOON = new Date(2026, 10, 20, 12).getTime();
const MINUTE = 60_000;

function message(seq: number, kind: "visitor" | "agent", at: number, id = kind): WireEvent {
  const author = { kind, id, name: "Sanne de Wit" };
  return { seq, type: "message.posted", at, author, data: { text: `${seq}` } };
}

function drawn(events: WireEvent[], newFrom = 0) {
  return rows
    .write(rows.blank(newFrom), events, NOON)
    .rows.map((row) =>
      row.kind === "message"
        ? `${row.text}${row.first ? " first" : ""}${row.last ? " last" : ""}`
        : `${row.kind}: ${row.text}`,
    );
}

test("what one person says within three minutes belongs together", () => {
  const events = [
    message(1, "visitor", NOON),
    message(2, "visitor", NOON + 2 * MINUTE),
    message(3, "visitor", NOON + 6 * MINUTE),
    message(4, "agent", NOON + 6 * MINUTE),
  ];
  expect(drawn(events)).toEqual([
    "day: Vandaag",
    "1 first",
    "2 last",
    "3 first last",
    "4 first last",
  ]);
});

test("a new day gets a line", () => {
  const events = [message(1, "visitor", NOON - 24 * 60 * MINUTE), message(2, "visitor", NOON)];
  expect(drawn(events)).toEqual(["day: Gisteren", "1 first last", "day: Vandaag", "2 first last"]);
});

test("the line above what is new stands once, above the first of somebody else", () => {
  const events = [1, 2, 3, 4].map((seq) => message(seq, seq === 2 ? "visitor" : "agent", NOON));
  expect(drawn(events, 2)).toEqual([
    "day: Vandaag",
    "1 first last",
    "2 first last",
    "new: Nieuw",
    "3 first",
    "4 last",
  ]);
});

test("what happened is told by first name, and what is internal not at all", () => {
  const author = { kind: "agent" as const, id: "a", name: "Sanne de Wit" };
  expect(
    drawn([
      { seq: 1, type: "internal" },
      {
        seq: 2,
        type: "conversation.assigned",
        at: NOON,
        author,
        data: { agent: { id: "a", name: "Sanne de Wit" } },
      },
      { seq: 3, type: "conversation.closed", at: NOON, author, data: { by: "agent" } },
      { seq: 4, type: "conversation.rated", at: NOON, author, data: { score: 5 } },
    ]),
  ).toEqual([
    "day: Vandaag",
    "line: Sanne helpt u verder",
    "line: Sanne rondde het gesprek af",
    "line: Uw oordeel: top. Dank u.",
  ]);
});

test("written piece by piece or at once, the paper is the same", () => {
  const events = [1, 2, 3, 4, 5].map((seq) =>
    message(seq, seq % 3 ? "agent" : "visitor", NOON + seq),
  );
  const whole = rows.write(rows.blank(2), events, NOON);
  const pieces = events.reduce((paper, event) => rows.write(paper, [event], NOON), rows.blank(2));
  expect(pieces).toEqual(whole);
});

test("both languages say the same things", async () => {
  const [nl, en] = await Promise.all([
    import("./languages/nl.json"),
    import("./languages/en.json"),
  ]);
  const gaps = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join();
  expect(Object.keys(nl.default)).toEqual(Object.keys(en.default));
  for (const [key, text] of Object.entries(nl.default))
    expect([key, gaps(text)]).toEqual([key, gaps(en.default[key as keyof typeof en.default])]);
});
