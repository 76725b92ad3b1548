import { render } from "preact";
import { expect, test } from "vitest";
import { isEmoji, rich } from "./rich";

function shown(text: string): HTMLElement {
  const place = document.createElement("p");
  render(rich(text), place);
  return place;
}

const links = (text: string) =>
  [...shown(text).querySelectorAll("a")].map((link) => link.getAttribute("href"));

test.each([
  ["Zie https://kade9.example/a?b=c#d.", ["https://kade9.example/a?b=c#d"]],
  ["(http://a.example/x), en http://b.example!", ["http://a.example/x", "http://b.example"]],
  [
    "https://nl.wikipedia.org/wiki/Fiets_(vervoer)",
    ["https://nl.wikipedia.org/wiki/Fiets_(vervoer)"],
  ],
  ["Mail marieke@voorbeeld.nl.", ["mailto:marieke@voorbeeld.nl"]],
  ["javascript:alert(1) data:text/html,x ftp://a.example", []],
  ["xhttps://a.example", []],
])("links in %j", (text, expected) => expect(links(text)).toEqual(expected));

test.each([
  "<img src=x onerror=alert(1)>",
  "&lt;b&gt;",
  "een\ntwee",
  "😀 tekst",
  "\u202Eomgekeerd",
])("%j stands as it was typed, without elements", (text) => {
  expect(shown(text).textContent).toBe(text);
  expect(shown(text).childElementCount).toBe(0);
});

test("only a few emoji by themselves are drawn big", () => {
  expect(isEmoji("👍")).toBe(true);
  expect(isEmoji("👩‍🚒 ❤️")).toBe(true);
  expect(isEmoji("👍 ja")).toBe(false);
  expect(isEmoji("1")).toBe(false);
});
