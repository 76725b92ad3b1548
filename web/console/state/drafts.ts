// What somebody is writing, per conversation. It survives a reload, switching and a crash.

import { type Signal, signal } from "@preact/signals";
import type { File as SentFile } from "../../protocol/types";
import { readKeptJson, writeKept } from "./kept";

export interface Draft {
  /** For the visitor. */
  text: string;
  /** For colleagues. Apart, so that changing the kind never turns one into the other. */
  note: string;
  mode: "answer" | "note";
  files: SentFile[];
}

const EMPTY: Draft = { text: "", note: "", mode: "answer", files: [] };
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
  const { text, note, files } = draft.peek();
  const kept = text || note || files.length ? JSON.stringify(draft.peek()) : null;
  writeKept(`draft.${conversation}`, kept);
}

/** Who comes back to a conversation, comes to answer, unless a note was begun. */
export function leaveDraft(conversation: string): void {
  const { mode, note } = draftOf(conversation).peek();
  if (mode === "note" && !note) changeDraft(conversation, { mode: "answer" });
}

export function forgetDraft(conversation: string): void {
  drafts.delete(conversation);
  writeKept(`draft.${conversation}`, null);
}

/** Of this page only; what is kept stays for the next visit of the same person. */
export function forgetDrafts(): void {
  drafts.clear();
}
