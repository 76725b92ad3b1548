// All that is kept of one person: handed over, or erased. For administrators.

import { signal } from "@preact/signals";
import type { Row } from "../../protocol/types";
import { callForFile } from "../state/api";
import { nameOf } from "../state/people";
import { openSheet } from "../state/sheets";

interface Subject {
  visitor: string;
  name: string;
}

/** Who is to be erased, while it is asked. It outlives the conversation from which it was asked. */
export const subject = signal<Subject | null>(null);

export function askToErase(row: Row): void {
  subject.value = { visitor: row.visitor.id, name: nameOf(row) };
  openSheet("erase");
}

/** A zip of JSON documents and files, as a download. */
export async function exportPerson(row: Row): Promise<void> {
  const { id } = row.visitor;
  const address = URL.createObjectURL(await callForFile(`/visitors/${id}/export`));
  const link = document.createElement("a");
  link.href = address;
  link.download = `visitor-${id.slice(0, 13)}.zip`;
  link.click();
  // The browser has taken it over by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
