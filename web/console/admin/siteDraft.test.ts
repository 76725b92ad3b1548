import { expect, it } from "vitest";
import { countChanges, rebase } from "./siteDraft";

const LIVE = { name: "Winkel", look: { accent: "#111111", shape: "bubble" }, texts: {} };

it("counts each field that differs", () => {
  expect(countChanges(LIVE, LIVE)).toBe(0);
  expect(countChanges({ ...LIVE, look: { accent: "#222222", shape: "tab" } }, LIVE)).toBe(2);
  expect(countChanges({ ...LIVE, texts: { nl: { greeting: "Dag" } } }, LIVE)).toBe(1);
  // An empty text is Balie's own words, as none is.
  expect(countChanges({ ...LIVE, texts: { nl: { greeting: "" } } }, LIVE)).toBe(0);
});

it("keeps what was changed here and what was put live elsewhere", () => {
  const wish = { ...LIVE, look: { ...LIVE.look, accent: "#222222" } };
  const live = { ...LIVE, name: "Fietswinkel", look: { accent: "#333333", shape: "tab" } };
  expect(rebase(wish, LIVE, live)).toEqual({
    ...live,
    look: { accent: "#222222", shape: "tab" },
  });
});
