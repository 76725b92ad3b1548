import { expect, it } from "vitest";
import { conversationPath, parseRoute, settingsPath } from "./route";

it.each([
  ["/app", { at: "inbox", view: "open", conversation: null }],
  ["/app/team", { at: "inbox", view: "team", conversation: null }],
  [conversationPath("7", "closed"), { at: "inbox", view: "closed", conversation: "7" }],
  [settingsPath("sites", "3"), { at: "settings", page: "sites", item: "3" }],
  ["/app/nonsense", { at: "inbox", view: "open", conversation: null }],
])("reads %s", (address, route) => {
  expect(parseRoute(address)).toEqual(route);
});

it("finds the token of a one-time link behind the hash", () => {
  expect(parseRoute("/app/invitation", "#abc")).toEqual({ at: "invitation", token: "abc" });
});
