import { describe, expect, it } from "vitest";
import { measureWait, sayAgo, sayWait } from "./clock";

const words = { second: "s", minute: "min", hour: "u", day: "d" };

describe("the answer clock", () => {
  it.each([
    [0, "calm"],
    [17, "calm"],
    [18, "soon"],
    [29, "soon"],
    [30, "late"],
    [500, "late"],
  ])("after %i of 30 seconds is %s", (seconds, state) => {
    expect(measureWait(1_000, 1_000 + seconds * 1000, 30).state).toBe(state);
  });

  it("is never more than full, and never runs before it began", () => {
    expect(measureWait(0, 90_000, 30).share).toBe(1);
    expect(measureWait(5_000, 0, 30)).toEqual({ share: 0, state: "calm", seconds: 0 });
  });

  it.each([
    [0, "0 s"],
    [59, "59 s"],
    [60, "1:00"],
    [72, "1:12"],
    [3_599, "59:59"],
    [3_900, "1 u 05"],
    [90_000, "1 d"],
  ])("says %i seconds as %s", (seconds, said) => {
    expect(sayWait(seconds, words)).toBe(said);
  });

  it("has no haste where nobody waits", () => {
    expect(sayAgo(59, words)).toBe("< 1 min");
    expect(sayAgo(660, words)).toBe("11 min");
  });
});
