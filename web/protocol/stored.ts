// What a page leaves behind for the next: unsent messages and drafts, as one text. Keeping it is the shell's job.

import type { Item } from "./outbox";

export interface Stored {
  outbox: Item[];
  /** By conversation; "" is the new one. */
  drafts: Record<string, string>;
}

export function write({ outbox, drafts }: Stored): string {
  return JSON.stringify({ outbox: outbox.filter(({ state }) => state !== "acked"), drafts });
}

/** Whatever stands there: what cannot be read is as good as nothing. */
export function read(text: string | null): Stored {
  try {
    const { outbox, drafts } = JSON.parse(text ?? "{}");
    return {
      outbox: Array.isArray(outbox) ? outbox.filter(isItem) : [],
      drafts: Object.fromEntries(
        Object.entries(drafts ?? {}).filter(([, draft]) => typeof draft === "string"),
      ) as Record<string, string>,
    };
  } catch {
    return { outbox: [], drafts: {} };
  }
}

function isItem(item: Item | null): boolean {
  return (
    typeof item?.client_message_id === "string" &&
    typeof item.text === "string" &&
    Array.isArray(item.files)
  );
}
