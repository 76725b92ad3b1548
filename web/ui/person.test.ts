import { expect, it } from "vitest";
import { hueOf, initialsOf } from "./person";

it.each([
  ["Joris van Dam", "JD"],
  ["Chiara", "C"],
  ["  Marit   Hoekstra ", "MH"],
  ["élodie Ødegård", "ÉØ"],
  ["👩‍🚀 Ruimte", "👩‍🚀R"],
  ["Sanne (kassa)", "SK"],
  ["'t Hart", "TH"],
  ["???", "?"],
  ["", ""],
])("of %s the initials are %s", (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});

it("gives a name one colour, however it is spaced or composed", () => {
  expect(hueOf(" Noor  van Dijk ")).toBe(hueOf("Noor van Dijk"));
  expect(hueOf("Élodie")).toBe(hueOf("E\u0301lodie"));
});

it("uses every colour, and no other", () => {
  const names = Array.from({ length: 500 }, (_, number) => `Medewerker ${number}`);
  const hues = new Set(names.map(hueOf));
  expect([...hues].sort((one, other) => one - other)).toEqual(
    Array.from({ length: 12 }, (_, step) => step * 30),
  );
});

it("tells the two people of the demo apart", () => {
  expect(hueOf("Noor van Dijk")).not.toBe(hueOf("Sem Bakker"));
});
