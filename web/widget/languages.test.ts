import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { en as english } from "../console/words/en";
import { nl as dutch } from "../console/words/nl";
import en from "./languages/en.json";
import nl from "./languages/nl.json";

const WIDGET = `${import.meta.dirname}/`;
const CODE = readdirSync(WIDGET, { recursive: true })
  .map(String)
  .filter((file) => /\.tsx?$/.test(file) && !file.includes(".test."))
  .map((file) => readFileSync(WIDGET + file, "utf8"))
  .join("\n");

const says = (key: string) => CODE.includes(`"${key}"`);
/** A banner's second line is asked for by the name of its first. */
const isSecondLine = (key: string) => key.endsWith("Line") && says(key.slice(0, -4));

test.each(Object.keys(en))("somebody says %s", (key) => {
  expect(says(key) || isSecondLine(key)).toBe(true);
});

test("the system never raises its voice", () => {
  for (const text of [...Object.values(nl), ...Object.values(en)]) expect(text).not.toMatch(/!/);
});

test("to staff, a rating is called what the visitor called it", () => {
  for (const [said, { thread }] of [
    [nl, dutch],
    [en, english],
  ] as const)
    said.scores.split("|").forEach((name, index) => {
      expect(thread.rated(index + 1)).toMatch(new RegExp(` ${name.toLowerCase()}$`));
    });
});
