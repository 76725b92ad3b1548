import { expect, it } from "vitest";
import { ended, endSession, me, type Signed } from "./me";

it("says that the session ended, however many requests find it out", () => {
  me.value = { agent: { id: "a" }, organisation: { id: "o", name: "Winkel" } } as Signed;
  endSession();
  endSession();
  expect(me.value).toBeNull();
  expect(ended.value).toBe(true);
});

it("says nothing to who was not signed in", () => {
  ended.value = false;
  me.value = null;
  endSession();
  expect(ended.value).toBe(false);
});
