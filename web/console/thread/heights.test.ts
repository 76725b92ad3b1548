import { expect, it } from "vitest";
import { Heights } from "./heights";

it("knows where each of a hundred thousand stands", () => {
  const heights = new Heights(100_000, 40);
  expect(heights.total).toBe(4_000_000);
  expect(heights.top(70_000)).toBe(2_800_000);
  heights.set(3, 100);
  expect(heights.top(3)).toBe(120);
  expect(heights.top(4)).toBe(220);
  expect(heights.total).toBe(4_000_060);
});

it("finds the item at a height, also past the ends", () => {
  const heights = new Heights(1_000, 10);
  heights.set(0, 0);
  heights.set(500, 200);
  for (const index of [1, 255, 256, 257, 500, 501, 999])
    expect(heights.at(heights.top(index) + 1)).toBe(index);
  expect(heights.at(0)).toBe(1); // an item without height is never what is seen
  expect(heights.at(-5)).toBe(0);
  expect(heights.at(1e9)).toBe(999);
});

it("grows without forgetting", () => {
  const heights = new Heights(2, 10);
  heights.set(1, 30);
  heights.grow(600);
  expect(heights.top(2)).toBe(40);
  expect(heights.total).toBe(40 + 598 * 10);
});

it("says whether anything changed", () => {
  const heights = new Heights(1, 10);
  expect(heights.set(0, 10.2)).toBe(false);
  expect(heights.set(0, 11)).toBe(true);
});
