// What is refused for coming too fast is asked again when the server says so; everything else is not.

import { afterEach, expect, it, vi } from "vitest";
import { ask, page } from "./api";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function answering(...answers: [number, unknown][]) {
  const fetched = vi.fn(async () => {
    const [status, body] = answers.shift() as [number, unknown];
    return new Response(JSON.stringify(body), { status });
  });
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

const TOO_FAST = { code: "rate_limited", retry_after_ms: 2_500 };

it("waits as long as it is told, and goes on reading", async () => {
  vi.useFakeTimers();
  const fetched = answering([429, TOO_FAST], [429, TOO_FAST], [200, { data: [{ seq: 1 }] }]);
  const events = page("c", { after: 0 });
  await vi.advanceTimersByTimeAsync(2_499);
  expect(fetched).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(2_501);
  expect(await events).toEqual([{ seq: 1 }]);
  expect(fetched).toHaveBeenCalledTimes(3);
});

it("says at once what else was refused", async () => {
  answering([404, { code: "not_found" }], [429, TOO_FAST]);
  await expect(ask("GET", "/visitor/conversations")).rejects.toMatchObject({ code: "not_found" });
  await expect(ask("PUT", "/visitor/identity", {})).rejects.toMatchObject({ status: 429 });
});
