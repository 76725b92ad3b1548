// What this browser keeps, in the storage of Balie's own origin, and only once somebody has said something.

export const ROOT = `balie:${location.pathname.split("/")[2]}:`;

/** Storage may be forbidden (privacy settings): then nothing is kept, and all else works. */
export function storage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

export const kept = {
  /** Nothing is written before this is true. */
  allowed: storage()?.getItem(`${ROOT}token`) != null,

  get: (name: string) => storage()?.getItem(ROOT + name) ?? undefined,

  set(name: string, value: string | undefined): void {
    try {
      if (value === undefined) storage()?.removeItem(ROOT + name);
      else if (kept.allowed) storage()?.setItem(ROOT + name, value);
    } catch {
      // Full: the text still stands on the screen.
    }
  },
};
