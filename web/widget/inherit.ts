// Unsent messages belong to the tab in which they were written. A tab that dies is inherited by another.

import { uuid7 } from "../protocol/ids";
import { read, type Stored, write } from "../protocol/stored";
import { site } from "./boot";
import { kept } from "./kept";

const TAB = uuid7();
const OUTBOX = "outbox:";

export const keepOutbox = (outbox: Stored["outbox"]) =>
  kept.set(OUTBOX + TAB, outbox.length ? write({ outbox, drafts: {} }) : undefined);

/** Hand over what earlier or dying tabs did not get to send, now and later. */
export function inherit(take: (items: Stored["outbox"]) => void): void {
  const awaited = new Set<string>();
  const claim = (name: string) => {
    const tab = name.slice(OUTBOX.length);
    const takeOver = () => {
      const { outbox } = read(kept.get(name) ?? null);
      kept.set(name, undefined);
      if (outbox.length) take(outbox);
    };
    if (!name.startsWith(OUTBOX) || tab === TAB || awaited.has(tab)) return;
    awaited.add(tab);
    // Every tab holds a lock of its own: who gets it, knows that the tab is gone.
    hold(tab, takeOver).catch(takeOver);
  };
  hold(TAB, () => new Promise(() => {})).catch(() => {});
  kept.names(OUTBOX).forEach(claim);
  kept.onChange(claim);
}

/** Browsers may forbid locks where they forbid storage. Twice sent is once stored, so that does no harm. */
async function hold(tab: string, held: () => unknown): Promise<void> {
  await navigator.locks.request(`balie:${site.key}:${tab}`, held);
}

export function forget(): void {
  for (const name of kept.names()) kept.set(name, undefined);
  kept.allowed = false;
}
