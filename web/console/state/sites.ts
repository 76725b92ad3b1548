// Names of the sites: a row only holds the id.

import { signal } from "@preact/signals";
import { asProblem, call, type Page } from "./api";

interface SiteName {
  id: string;
  name: string;
}

const names = signal<SiteName[]>([]);

export async function loadSiteNames(): Promise<void> {
  try {
    names.value = (await call<Page<SiteName>>("GET", "/sites")).data;
  } catch (fault) {
    asProblem(fault);
  }
}

/** Mostly only worth saying when there is more than one; `always` where it has a place of its own. */
export function siteName(id: string, always = false): string {
  if (names.value.length < 2 && !always) return "";
  return names.value.find((site) => site.id === id)?.name ?? "";
}
