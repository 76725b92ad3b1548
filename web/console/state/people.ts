import type { Row } from "../../protocol/types";
import { say } from "./me";

/** A visitor without a name is told apart by the end of his id. */
export function nameOf({ visitor }: Row): string {
  return visitor.name || visitor.email || say().nameless(visitor.id.slice(-4));
}

/** "Marit Hoekstra" is Marit in a sentence. */
export function firstNameOf(row: Row): string {
  if (row.visitor.name) return row.visitor.name.trim().split(/\s+/)[0] ?? row.visitor.name;
  return nameOf(row);
}

/** The part of an address that tells where on the site somebody is. */
export function placeOf(url: string | undefined): string {
  if (!url) return "";
  try {
    const { pathname } = new URL(url);
    return decodeURI(pathname);
  } catch {
    return url;
  }
}

export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
