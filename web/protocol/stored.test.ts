import { expect, test } from "vitest";
import { uuid7 } from "./ids";
import type { Item } from "./outbox";
import { read, write } from "./stored";

const item: Item = {
  kind: "post",
  client_message_id: uuid7(),
  conversation: null,
  text: "Ja graag",
  files: [],
  at: 1,
  state: "waiting",
};

test("what was written is read back, but for what the server has", () => {
  const acked = { ...item, state: "acked" as const };
  expect(read(write({ outbox: [item, acked], drafts: { "": "half" } }))).toEqual({
    outbox: [item],
    drafts: { "": "half" },
  });
});

test.each([null, "", "{", "null", "[]", '{"outbox":7,"drafts":3}', '{"outbox":[null,{"text":1}]}'])(
  "%j is as good as nothing",
  (text) => expect(read(text)).toEqual({ outbox: [], drafts: {} }),
);

test("ids are UUIDs of version 7 that sort by time", () => {
  const early = uuid7(1_700_000_000_000);
  expect(early).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(early < uuid7(1_700_000_000_001)).toBe(true);
});
