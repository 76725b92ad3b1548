import { expect, it } from "vitest";
import { contrast, correctAccent, isColour } from "./accent";
import { asOrigin } from "./sites";

it.each(["#ffe14d", "#2F9A45", "#ffffff", "#00ffff", "#ff0000", "#777777"])(
  "makes %s readable as text and under its ink",
  (asked) => {
    const { colour, ink, ratio } = correctAccent(asked);
    expect(contrast(colour, "#f3f1ee")).toBeGreaterThanOrEqual(4.5);
    expect(ratio).toBeGreaterThanOrEqual(4.5);
    expect(contrast(colour, ink)).toBe(ratio);
  },
);

it("leaves alone what is readable", () => {
  expect(correctAccent("#2B4C9B")).toMatchObject({ colour: "#2b4c9b", corrected: false });
});

it.each(["", "#12", "#12345g", "red", "#1234567"])("takes %s for no colour", (text) => {
  expect(isColour(text)).toBe(false);
});

it.each([
  ["https://voorbeeld.nl", "https://voorbeeld.nl"],
  [" HTTPS://Voorbeeld.NL/ ", "https://voorbeeld.nl"],
  ["http://localhost:8000", "http://localhost:8000"],
  ["https://voorbeeld.nl/pad", null],
  ["www.voorbeeld.nl", "https://www.voorbeeld.nl"],
  ["voorbeeld.nl/pad", null],
  ["voorbeeld", null],
  ["jan@voorbeeld.nl", null],
  ["javascript:alert(1)", null],
])("reads the address %s as %s", (line, origin) => {
  expect(asOrigin(line)).toBe(origin);
});
