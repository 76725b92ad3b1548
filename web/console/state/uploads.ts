// Files on their way up. Progress needs XMLHttpRequest: fetch does not tell how much has been sent.

import { type Signal, signal } from "@preact/signals";
import { isRunnable } from "../../protocol/runnable";
import { MAX_FILES, type File as SentFile } from "../../protocol/types";
import { MAX_FILE_BYTES } from "./boot";
import { changeDraft, draftOf } from "./drafts";

export interface Upload {
  key: string;
  file: File;
  /** Address of a picture of it, for images. */
  preview: string | undefined;
  /** 0…1 */
  share: number;
  fault: "too_big" | "refused" | "failed" | undefined;
  stop: () => void;
}

let started = 0;
const uploads = new Map<string, Signal<Upload[]>>();

export function uploadsOf(conversation: string): Signal<Upload[]> {
  let list = uploads.get(conversation);
  if (!list) {
    list = signal([]);
    uploads.set(conversation, list);
  }
  return list;
}

/** Returns false when there were more files than a message may have; those are left out. */
export function addFiles(conversation: string, files: readonly File[]): boolean {
  const taken = uploadsOf(conversation).peek().length + draftOf(conversation).peek().files.length;
  const room = Math.max(0, MAX_FILES - taken);
  for (const file of files.slice(0, room)) start(conversation, file);
  return files.length <= room;
}

function start(conversation: string, file: File): void {
  const preview = file.type.startsWith("image/") ? URL.createObjectURL(file) : undefined;
  const upload: Upload = {
    key: String(++started),
    file,
    preview,
    share: 0,
    fault: undefined,
    stop: () => {},
  };
  const list = uploadsOf(conversation);
  list.value = [...list.peek(), upload];
  send(conversation, upload);
}

export function retryUpload(conversation: string, upload: Upload): void {
  change(conversation, upload.key, { share: 0, fault: undefined });
  send(conversation, upload);
}

export function removeUpload(conversation: string, key: string): void {
  const list = uploadsOf(conversation);
  const upload = list.peek().find((one) => one.key === key);
  upload?.stop();
  if (upload?.preview) URL.revokeObjectURL(upload.preview);
  list.value = list.peek().filter((one) => one.key !== key);
}

function send(conversation: string, upload: Upload): void {
  if (upload.file.size > MAX_FILE_BYTES) {
    change(conversation, upload.key, { fault: "too_big" });
    return;
  }
  if (isRunnable(upload.file)) {
    change(conversation, upload.key, { fault: "refused" });
    return;
  }
  const request = new XMLHttpRequest();
  request.open("POST", "/api/v1/files");
  request.setRequestHeader("Content-Type", upload.file.type || "application/octet-stream");
  request.setRequestHeader("X-File-Name", encodeURIComponent(upload.file.name));
  request.upload.onprogress = ({ loaded, total }) =>
    change(conversation, upload.key, { share: total ? loaded / total : 0 });
  request.onload = () => finish(conversation, upload.key, request);
  request.onerror = () => change(conversation, upload.key, { fault: "failed" });
  change(conversation, upload.key, { stop: () => request.abort() });
  request.send(upload.file);
}

function finish(conversation: string, key: string, request: XMLHttpRequest): void {
  if (request.status < 200 || request.status > 299) {
    change(conversation, key, { fault: faultOf(request.status) });
    return;
  }
  const sent = JSON.parse(request.responseText) as SentFile;
  const { files } = draftOf(conversation).peek();
  chosen.set(sent.id, Number(key));
  const all = [...files, sent].sort((one, other) => orderOf(one) - orderOf(other));
  changeDraft(conversation, { files: all });
  removeUpload(conversation, key);
}

/** Files stand in the order in which they were chosen, not in which they arrived. */
const chosen = new Map<string, number>();

function orderOf(file: SentFile): number {
  return chosen.get(file.id) ?? 0;
}

function faultOf(status: number): Upload["fault"] {
  if (status === 413) return "too_big";
  return status >= 400 && status < 500 && status !== 429 ? "refused" : "failed";
}

function change(conversation: string, key: string, to: Partial<Upload>): void {
  const list = uploadsOf(conversation);
  list.value = list.peek().map((one) => (one.key === key ? { ...one, ...to } : one));
}
