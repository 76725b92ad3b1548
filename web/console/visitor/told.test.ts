import { expect, it } from "vitest";
import { learn } from "./known";
import { readBasket, sayValue } from "./told";

const MANNERS = { yes: "ja", no: "nee", number: (value: number) => `${value}` };

it("reads a cart", () => {
  const cart = { currency: "EUR", total: 9500, items: [{ name: "Zadel", price: 9500 }] };
  expect(readBasket(cart)).toEqual({
    currency: "EUR",
    total: 9500,
    items: [{ name: "Zadel", quantity: 1, price: 9500 }],
  });
  expect(readBasket({ items: [], id: 48211 })).toEqual({ currency: "", items: [], id: "48211" });
});

it.each([null, 3, "cart", [], {}, { items: {} }, { items: [null] }, { items: [{ name: 4 }] }])(
  "reads no cart into %j",
  (value) => expect(readBasket(value)).toBeUndefined(),
);

it.each([
  [true, "ja"],
  [12, "12"],
  [["a", null, 2], "a, 2"],
  [{ plan: "basis", seats: 3 }, "plan: basis · seats: 3"],
  [null, ""],
])("says %j on one line", (value, text) => {
  expect(sayValue(value, MANNERS)).toBe(text);
});

it("learns from each event what the server would answer afterwards", () => {
  const known = { pages: [], conversations: [], attributes: { plan: "basis" } };
  const author = { kind: "visitor" as const };
  const after = [
    {
      type: "visitor.described" as const,
      seq: 3,
      at: 1,
      author,
      data: { attributes: { plan: null, vip: true } },
    },
    { type: "event.tracked" as const, seq: 4, at: 2, author, data: { name: "klik" } },
    { type: "event.tracked" as const, seq: 5, at: 3, author, data: { name: "koop", detail: 1 } },
  ].reduce(learn, known);
  expect(after.attributes).toEqual({ vip: true });
  expect(after.events).toEqual([
    { name: "koop", detail: 1, at: 3 },
    { name: "klik", at: 2 },
  ]);
});
