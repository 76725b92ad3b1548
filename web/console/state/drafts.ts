// What somebody is writing, per conversation. It survives a reload, switching and a crash.

import { type Signal, signal } from "@preact/signals";
import type { File as SentFile } from "../../protocol/types";
import { readKeptJson, writeKept } from "./kept";

export interface Draft {
  text: string;
  mode: "answer" | "note";
  files: SentFile[];
}

const EMPTY: Draft = { text: "", mode: "answer", files: [] };
const drafts = new Map<string, Signal<Draft>>();

export function draftOf(conversation: string): Signal<Draft> {
  let draft = drafts.get(conversation);
  if (!draft) {
    draft = signal({ ...EMPTY, ...readKeptJson<Draft>(`draft.${conversation}`) });
    drafts.set(conversation, draft);
  }
  return draft;
}

export function changeDraft(conversation: string, change: Partial<Draft>): void {
  const draft = draftOf(conversation);
  draft.value = { ...draft.peek(), ...change };
  const { text, files } = draft.peek();
  const kept = text || files.length ? JSON.stringify(draft.peek()) : null;
  writeKept(`draft.${conversation}`, kept);
}

export function forgetDraft(conversation: string): void {
  drafts.delete(conversation);
  writeKept(`draft.${conversation}`, null);
}

/** Of this page only; what is kept stays for the next visit of the same person. */
export function forgetDrafts(): void {
  drafts.clear();
}
