// What this browser keeps between two visits. A browser that keeps nothing is no reason to fail.

const PREFIX = "balie.console.";
/** Of the device, not of the person. */
const DEVICE = ["language", "theme"];

export function readKept(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

export function writeKept(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, value);
  } catch {
    // Full or forbidden: it lives as long as the page.
  }
}

export function readKeptJson<Value>(key: string): Value | null {
  try {
    return JSON.parse(readKept(key) ?? "null");
  } catch {
    return null;
  }
}

/** What one person left here is never shown to the next. */
export function keepFor(person: string): void {
  if (readKept("person") !== person) forgetEverything();
  writeKept("person", person);
}

export function forgetEverything(): void {
  for (const key of keptKeys()) if (!DEVICE.includes(key)) writeKept(key, null);
}

function keptKeys(): string[] {
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
    return keys.map((key) => key.slice(PREFIX.length));
  } catch {
    return [];
  }
}
