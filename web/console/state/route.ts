// Where we are. Addresses: /app, /app/c/ID, /app/team, /app/closed, /app/settings/PAGE, /app/invitation#TOKEN.

import { computed, signal } from "@preact/signals";
import type { View } from "./inbox";

const BASE = "/app";

export type Route =
  | { at: "inbox"; view: View; conversation: string | null }
  | { at: "settings"; page: string; item: string | null }
  | { at: "invitation"; token: string };

const path = signal(location.pathname + location.search);

export const route = computed<Route>(() => parseRoute(path.value, location.hash));

export function parseRoute(address: string, hash = ""): Route {
  const { pathname, searchParams } = new URL(address, "http://console");
  const [first, second, third] = pathname.slice(BASE.length).split("/").filter(Boolean);
  switch (first) {
    case "invitation":
      return { at: "invitation", token: second ?? hash.slice(1) };
    case "settings":
      return { at: "settings", page: second ?? "", item: third ?? null };
    case "c":
      return { at: "inbox", view: asView(searchParams.get("in")), conversation: second ?? null };
    default:
      return { at: "inbox", view: asView(first), conversation: null };
  }
}

function asView(word: string | null | undefined): View {
  return word === "team" || word === "closed" ? word : "open";
}

export const inboxPath = (view: View): string => (view === "open" ? BASE : `${BASE}/${view}`);
export const conversationPath = (id: string, view: View = "open"): string =>
  view === "open" ? `${BASE}/c/${id}` : `${BASE}/c/${id}?in=${view}`;
export const settingsPath = (page = "", item = ""): string =>
  [BASE, "settings", page, item].filter(Boolean).join("/");

export function go(address: string, replace = false): void {
  if (address === location.pathname + location.search) return;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  path.value = address;
}

addEventListener("popstate", () => {
  path.value = location.pathname + location.search;
});

/** Links inside the console change the page without loading it. */
document.addEventListener("click", (event) => {
  const link = (event.target as Element).closest?.("a");
  if (!link || !isPlain(event) || link.target || link.hasAttribute("download")) return;
  if (link.origin !== location.origin || !isOurs(link.pathname) || link.hash) return;
  event.preventDefault();
  go(link.pathname + link.search);
});

function isPlain(event: MouseEvent): boolean {
  const { ctrlKey, metaKey, shiftKey, altKey, button, defaultPrevented } = event;
  return !(ctrlKey || metaKey || shiftKey || altKey || button || defaultPrevented);
}

function isOurs(pathname: string): boolean {
  return pathname === BASE || pathname.startsWith(`${BASE}/`);
}
