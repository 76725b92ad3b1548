// What lies over the screen: one at a time.

import { signal } from "@preact/signals";

export type Sheet =
  | "palette"
  | "erase"
  | "keys"
  | "labels"
  | "hand"
  | "presence"
  | "more"
  | "person"
  | null;

export const sheet = signal<Sheet>(null);

export function openSheet(name: Exclude<Sheet, null>): void {
  sheet.value = name;
}

export function closeSheet(name: Exclude<Sheet, null>): void {
  if (sheet.peek() === name) sheet.value = null;
}

export function keySheet(open: boolean): void {
  if (open) openSheet("keys");
  else closeSheet("keys");
}
