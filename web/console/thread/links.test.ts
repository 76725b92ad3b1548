import { expect, it } from "vitest";
import { splitLinks } from "./links";

const hrefs = (text: string) => splitLinks(text).flatMap((part) => part.href ?? []);

it.each([
  ["Zie https://voorbeeld.nl/a?b=c#d.", ["https://voorbeeld.nl/a?b=c#d"]],
  ["(https://voorbeeld.nl)", ["https://voorbeeld.nl"]],
  [
    "https://nl.wikipedia.org/wiki/Fiets_(vervoer)",
    ["https://nl.wikipedia.org/wiki/Fiets_(vervoer)"],
  ],
  ["javascript:alert(1) data:text/html,x ftp://x", []],
  ["https://a.example https://b.example", ["https://a.example", "https://b.example"]],
  ["https://", []],
  ["Mail jan@voorbeeld.nl.", ["mailto:jan@voorbeeld.nl"]],
])("in %s finds its addresses", (text, found) => {
  expect(hrefs(text)).toEqual(found);
});

it("loses not a letter", () => {
  const text = 'a <b> https://x.example/">, en\nverder https://y.example!';
  expect(
    splitLinks(text)
      .map((part) => part.text)
      .join(""),
  ).toBe(text);
});
