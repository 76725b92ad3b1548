import { afterEach, expect, it, vi } from "vitest";
import { History } from "./history";

const LAST = 130;
/** What a page of long messages holds. */
const FEW = 8;

const asked = vi.fn((address: string) => {
  const query = new URL(address, "https://balie.example").searchParams;
  const after = Number(query.get("after"));
  const end = Math.min(after + Math.min(FEW, Number(query.get("limit"))), LAST);
  const data = Array.from({ length: end - after }, (_, index) => ({ seq: after + index + 1 }));
  return Promise.resolve(new Response(JSON.stringify({ data, last_seq: LAST })));
});

afterEach(() => void vi.unstubAllGlobals());

it("goes on where a short page ended, and asks for nothing twice", async () => {
  vi.stubGlobal("fetch", asked);
  const history = new History("c1");
  history.reaches(LAST);
  history.want(1, LAST);
  await vi.waitFor(() => expect(history.events.size).toBe(LAST));
  expect(asked).toHaveBeenCalledTimes(Math.ceil(100 / FEW) + Math.ceil(30 / FEW));
  history.want(1, LAST);
  expect(asked).toHaveBeenCalledTimes(17);
});
