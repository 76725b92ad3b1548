import { expect, test } from "vitest";
import { chooseLanguage, loadTexts } from "./choose";

test.each([
  [["nl-BE", "en"], "nl"],
  [["fr", "NL"], "nl"],
  [["fr"], "en"],
  [[], "en"],
  [["constructor"], "en"],
])("of %j the panel speaks %s", (wished, language) => {
  expect(chooseLanguage(wished)).toBe(language);
});

test("each language has its own texts", async () => {
  expect((await loadTexts("nl")).title).toBe("Klantenservice");
  expect((await loadTexts("en")).title).toBe("Customer service");
});

test("an unknown language is refused by name", async () => {
  await expect(loadTexts("fr")).rejects.toThrow('"fr"');
});
