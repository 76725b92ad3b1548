// Files on their way up, and pictures on their way down.

import { effect, type Signal, signal } from "@preact/signals";
import { isRunnable } from "../protocol/runnable";
import type { ConversationView, File as Stored } from "../protocol/types";
import { ask, type Refused, type Upload, upload } from "./api";
import { boot, say, site } from "./boot";
import { isoDay, size, timeZone, waited } from "./format";
import { post } from "./live";
import { atEnd, conversations, current, me, screen, started } from "./state";

export interface Sending {
  key: number;
  conversation: string | null;
  file: File;
  /** 0…1 */
  progress: number;
  /** Why it failed. `final`: trying again would not help. */
  error?: string;
  final?: boolean;
}

/** What browsers can show without harm. */
const SHOWN = /^image\/(?:png|jpe?g|gif|webp|avif)$/;

export const uploads = signal<Sending[]>([]);
const running = new Map<number, Upload>();
const pictures = new Map<string, Signal<string | undefined>>();
let keys = 0;

export const isPicture = ({ media_type }: { media_type: string }) => SHOWN.test(media_type);

export function sendFiles(files: Iterable<File>): void {
  atEnd.value = true;
  for (const file of files) {
    const sending: Sending = { key: ++keys, conversation: current.value, file, progress: 0 };
    const max = boot.max_file_bytes;
    if (file.size > max) {
      sending.error = say("tooBig", { size: size(file.size), max: size(max) });
      sending.final = true;
    } else if (isRunnable(file)) {
      sending.error = say("runs");
      sending.final = true;
    }
    uploads.value = [...uploads.value, sending];
  }
  screen.value = "talk";
}

export function tryAgain({ key }: Sending): void {
  uploads.value = uploads.value.map((one) => {
    if (one.key !== key) return one;
    const { error: _, ...rest } = one;
    return { ...rest, progress: 0 };
  });
}

export function takeAway({ key }: Sending): void {
  uploads.value = uploads.value.filter((one) => one.key !== key);
  running.get(key)?.stop();
  running.delete(key);
}

// What a person who proved who he is was sending does not go on as another's.
let sender = me.peek();
effect(() => {
  const now = me.value;
  if (sender?.verified && now && now.id !== sender.id) uploads.peek().forEach(takeAway);
  sender = now ?? sender;
});

// Whatever waits goes up, one after the other so that the order stays, as soon as the server knows us.
effect(() => {
  if (!me.value) return;
  const next = uploads.value.find(({ error }) => !error);
  if (next && !running.size) send(next);
});

effect(() => {
  const conversation = started.value;
  if (conversation && uploads.peek().some((one) => one.conversation === null))
    uploads.value = uploads
      .peek()
      .map((one) => (one.conversation === null ? { ...one, conversation } : one));
});

async function send({ key, file }: Sending): Promise<void> {
  const going = upload(file, (progress) => edit(key, { progress }));
  running.set(key, going);
  try {
    const stored = (await going.done) as Stored;
    // Opened in a tab of its own it is what the server found it to be, whatever its name says.
    const shown = file.slice(0, file.size, stored.media_type);
    if (isPicture(stored)) pictures.set(stored.id, signal(URL.createObjectURL(shown)));
    const conversation = uploads.value.find((one) => one.key === key)?.conversation;
    running.delete(key);
    if (conversation === undefined) return;
    takeAway({ key } as Sending);
    post("", [stored], conversation);
  } catch (problem) {
    running.delete(key);
    edit(key, reason(problem as Refused, file));
  }
}

function reason({ status, code, wait }: Refused, file: File): Partial<Sending> {
  if (!status) return { error: say("cutFile") };
  if (status >= 500) return { error: say("noFiles") };
  // Who has said nothing yet may bring little.
  if (status === 429 && !conversations.value.length) return { error: say("sayFirst") };
  if (status === 429) return { error: say("manyFiles", { time: waited(upwards(wait)) }) };
  const error =
    status === 413 || code === "too_long"
      ? say("tooBig", { size: size(file.size), max: size(boot.max_file_bytes) })
      : say(status === 415 ? "runs" : "badFile");
  return { error, final: true };
}

/** To whole seconds, or from a minute on to whole minutes. */
const upwards = (ms: number) => ms + (ms < 60_000 ? 999 : 59_999);

function edit(key: number, change: Partial<Sending>): void {
  uploads.value = uploads.value.map((one) => (one.key === key ? { ...one, ...change } : one));
}

/** The address of a stored picture, once it is here. */
export function picture({ id }: Stored): Signal<string | undefined> {
  const known = pictures.get(id);
  if (known) return known;
  const address = signal<string | undefined>(undefined);
  pictures.set(id, address);
  fetchFile(id).then(
    (blob) => {
      address.value = URL.createObjectURL(blob);
    },
    () => pictures.delete(id),
  );
  return address;
}

const fetchFile = async (id: string) => (await ask("GET", `/files/${id}`)).blob();

export async function download({ id, name }: Stored): Promise<void> {
  save(await fetchFile(id), name);
}

export async function saveTranscript({ id, started_at }: ConversationView): Promise<void> {
  const words = new URLSearchParams({ language: boot.language, time_zone: timeZone() });
  const answer = await ask("GET", `/visitor/conversations/${id}/transcript?${words}`);
  save(await answer.blob(), `${say("log")} ${site.name} ${isoDay(started_at)}.txt`);
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
