import { expect, it } from "vitest";
import { initialsOf } from "./Face";

it.each([
  ["Joris van Dam", "JD"],
  ["Chiara", "C"],
  ["  Marit   Hoekstra ", "MH"],
  ["élodie Ødegård", "ÉØ"],
  ["👩‍🚀 Ruimte", "👩‍🚀R"],
])("of %s the initials are %s", (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});
