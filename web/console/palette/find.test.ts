import { expect, it } from "vitest";
import { search } from "./find";

const THINGS = ["Zet over naar Marit", "Draag over aan een collega", "Élodie", "Instellingen"];
const find = (typed: string) => search(THINGS, typed, (text) => text);

it.each([
  ["", THINGS],
  ["over", ["Zet over naar Marit", "Draag over aan een collega"]],
  ["elo", ["Élodie"]],
  ["OVER col", ["Draag over aan een collega"]],
  ["stel", ["Instellingen"]],
  ["niets hiervan", []],
])("%j finds %j", (typed, found) => {
  expect(find(typed)).toEqual(found);
});

it("puts what begins a word before what stands inside one", () => {
  expect(search(["Bestelling", "Stel in"], "stel", (text) => text)).toEqual([
    "Stel in",
    "Bestelling",
  ]);
});
