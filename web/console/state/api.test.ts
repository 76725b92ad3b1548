import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { call, type Problem, UNREACHABLE, whenSignedOut } from "./api";

const signedOut = vi.fn();
const answer = vi.fn<() => Promise<Response>>();

beforeEach(() => {
  whenSignedOut(signedOut);
  vi.stubGlobal("fetch", answer);
});

afterEach(() => {
  vi.unstubAllGlobals();
  signedOut.mockReset();
});

function refuse(status: number, body: object, headers: Record<string, string> = {}) {
  answer.mockResolvedValue(new Response(JSON.stringify(body), { status, headers }));
}

it("notices that the server no longer knows us", async () => {
  refuse(401, { code: "unauthorised" });
  await expect(call("GET", "/tags")).rejects.toMatchObject({ status: 401 });
  expect(signedOut).toHaveBeenCalledOnce();
});

it("takes a wrong password for no more than that", async () => {
  refuse(401, { code: "wrong_password", attempts_left: 3 });
  const failed = call("PATCH", "/session/agent", {});
  await expect(failed).rejects.toMatchObject({ body: { attempts_left: 3 } });
  expect(signedOut).not.toHaveBeenCalled();
});

it("says how long to wait", async () => {
  refuse(429, { code: "rate_limited" }, { "Retry-After": "7" });
  const fault = await call("GET", "/tags").catch((problem: Problem) => problem);
  expect((fault as Problem).retryAfter).toBe(7_000);
});

it("takes a missing network and a broken answer for the same: not there", async () => {
  answer.mockRejectedValue(new TypeError("failed"));
  await expect(call("GET", "/tags")).rejects.toMatchObject({ code: UNREACHABLE });
  answer.mockResolvedValue(new Response("<html>", { status: 502 }));
  await expect(call("GET", "/tags")).rejects.toMatchObject({ code: UNREACHABLE });
});
