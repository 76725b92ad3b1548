// What this browser keeps, and only once somebody has said something: in the storage of Balie's own origin.
// Browsers that forbid that to a frame of another site leave it to the page, which keeps it for us.

import { site } from "./boot";
import { isFramed, onHost, tellHost } from "./host";

const ROOT = `balie:${site.key}:`;

const own = storage();
let borrowed: Record<string, string> = {};
const listeners: ((name: string) => void)[] = [];

function storage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

export const kept = {
  /** Nothing is written before this is true. */
  allowed: own?.getItem(`${ROOT}token`) != null,

  get: (name: string): string | undefined =>
    own ? (own.getItem(ROOT + name) ?? undefined) : borrowed[name],

  set(name: string, value: string | undefined): void {
    if (!kept.allowed) return;
    if (!own) {
      if (value === undefined) delete borrowed[name];
      else borrowed[name] = value;
      tellHost("keep", { name, value });
      return;
    }
    try {
      if (value === undefined) own.removeItem(ROOT + name);
      else own.setItem(ROOT + name, value);
    } catch {
      // Full: the text still stands on the screen.
    }
  },

  names(prefix = ""): string[] {
    const all = own ? Object.keys(own).filter((name) => name.startsWith(ROOT)) : [];
    const names = own ? all.map((name) => name.slice(ROOT.length)) : Object.keys(borrowed);
    return names.filter((name) => name.startsWith(prefix));
  },

  /** The page keeps it for us. */
  isBorrowed: !own && isFramed,

  /** Another tab wrote something. Of what the page keeps, only who the visitor is, is told. */
  onChange(heed: (name: string) => void): void {
    addEventListener("storage", ({ key }) => {
      if (key?.startsWith(ROOT)) heed(key.slice(ROOT.length));
    });
    listeners.push(heed);
  },
};

/** Comes when what was kept can be read. */
export const remembered = new Promise<void>((done) => {
  if (own || !isFramed) return done();
  onHost("kept", (given: Record<string, string> | undefined) => {
    borrowed = { ...given, ...borrowed };
    kept.allowed ||= "token" in borrowed;
    done();
  });
  onHost("changed", ({ name, value }: { name: string; value?: string }) => {
    if (value === undefined) delete borrowed[name];
    else borrowed[name] = value;
    kept.allowed ||= name === "token" && value !== undefined;
    // Unsent messages of a tab are its own here: whether it lives cannot be told.
    if (name === "visitor") for (const heed of listeners) heed(name);
  });
  setTimeout(done, 2_000);
});
