// Unsent messages belong to the tab in which they were written. A tab that dies is inherited by another.

import { uuid7 } from "../protocol/ids";
import { read, type Stored, write } from "../protocol/stored";
import { kept, ROOT, storage } from "./kept";

const TAB = uuid7();
const OUTBOX = `${ROOT}outbox:`;

export const keepOutbox = (outbox: Stored["outbox"]) =>
  kept.set(`outbox:${TAB}`, outbox.length ? write({ outbox, drafts: {} }) : undefined);

/** Hand over what earlier or dying tabs did not get to send, now and later. */
export function inherit(take: (items: Stored["outbox"]) => void): void {
  const awaited = new Set<string>();
  const claim = (name: string) => {
    const tab = name.slice(OUTBOX.length);
    const takeOver = () => {
      const { outbox } = read(storage()?.getItem(name) ?? null);
      storage()?.removeItem(name);
      if (outbox.length) take(outbox);
    };
    if (tab === TAB || awaited.has(tab)) return;
    awaited.add(tab);
    // Every tab holds a lock of its own: who gets it, knows that the tab is gone.
    if (navigator.locks) navigator.locks.request(ROOT + tab, takeOver);
    else takeOver();
  };
  navigator.locks?.request(ROOT + TAB, () => new Promise(() => {}));
  names(OUTBOX).forEach(claim);
  addEventListener("storage", ({ key }) => {
    if (key?.startsWith(OUTBOX)) claim(key);
  });
}

export function forget(): void {
  for (const name of names(ROOT)) storage()?.removeItem(name);
  kept.allowed = false;
}

const names = (prefix: string) =>
  Object.keys(storage() ?? {}).filter((name) => name.startsWith(prefix));
