import { expect, test } from "vitest";
import { isWell, sayDuration, sayResult, TYPES, USUAL } from "./webhooks";
import { en } from "./words/en";
import { nl } from "./words/nl";

test("an answer is its number, and no answer says why", () => {
  expect(sayResult({ code: "answered", status: 503 }, en.webhooks)).toBe("503");
  expect(sayResult({ code: "timeout", milliseconds: 15_000 }, en.webhooks)).toBe(
    "No answer in time",
  );
  expect(sayResult({ code: "of a newer server" }, en.webhooks)).toBe(en.webhooks.codes.broken);
});

test("only 2xx is well", () => {
  expect([199, 200, 204, 299, 300, 410].map((status) => isWell({ status }))).toEqual([
    false,
    true,
    true,
    true,
    false,
    false,
  ]);
  expect(isWell({ code: "tls" })).toBe(false);
});

test("a duration is short", () => {
  expect(sayDuration(84, "en")).toBe("84 ms");
  expect(sayDuration(15_020, "en")).toBe("15 sec");
});

test("every type has words in both languages", () => {
  for (const { webhooks } of [nl, en]) expect(Object.keys(webhooks.types)).toEqual(TYPES);
  expect(TYPES).toEqual(expect.arrayContaining(USUAL));
});
