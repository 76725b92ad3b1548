import { expect, it } from "vitest";
import { saySize } from "./size";

it.each([
  [0, "1\u00a0kB"],
  [68, "1\u00a0kB"],
  [102_957, "103\u00a0kB"],
  [999_499, "999\u00a0kB"],
  [999_500, "1\u00a0MB"],
  [1_250_000, "1,3\u00a0MB"],
  [10 * 1024 * 1024, "10\u00a0MB"],
])("says %d bytes as %j", (bytes, text) => expect(saySize(bytes, "nl")).toBe(text));
