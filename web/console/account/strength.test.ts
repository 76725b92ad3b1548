import { expect, it } from "vitest";
import { judgeStrength } from "./strength";

it.each([
  ["kort", "short"],
  ["aaaaaaaaaaaaaaaa", "weak"],
  ["wachtwoord123", "weak"],
  ["lindelaan 8 utr", "fair"],
  ["vier lange losse woorden", "strong"],
])("judges %s %s", (password, strength) => {
  expect(judgeStrength(password)).toBe(strength);
});
