// The same texts as `tests/kernel/test_visible.py`.

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { showsSomething } from "./visible";

const { unseen, seen } = JSON.parse(readFileSync("../tests/cases/visible.json", "utf8"));

it.each<string>(unseen)("sees nothing in %j", (text) => {
  expect(showsSomething(text)).toBe(false);
});

it.each<string>(seen)("sees something in %j", (text) => {
  expect(showsSomething(text)).toBe(true);
});
