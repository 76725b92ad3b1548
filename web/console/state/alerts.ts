// What reaches an agent who looks elsewhere: title, sound, notification, the mark on the installed app.

import { effect } from "@preact/signals";
import type { WireEvent } from "../../protocol/types";
import { findRow, loads, waiting } from "./inbox";
import { onEvents } from "./link";
import { say, settings } from "./me";
import { nameOf } from "./people";
import { conversationPath, go, route } from "./route";

export function startAlerts(): () => void {
  known = undefined;
  const stops = [effect(showCount), effect(ringForNew), onEvents(ringForMessage)];
  return () => {
    for (const stop of stops) stop();
    document.title = "Balie";
  };
}

function showCount(): void {
  const count = waiting.value.mine.length + waiting.value.queue.length;
  document.title = count ? `(${count}) Balie` : "Balie";
  if (count) navigator.setAppBadge?.(count).catch(() => {});
  else navigator.clearAppBadge?.().catch(() => {});
}

let known: Set<string> | undefined;

/**
 * Whoever is new in the queue is new to everybody; whoever is new among mine, a colleague has handed to me. The
 * first look only learns who stands there.
 */
function ringForNew(): void {
  const { queue, mine } = waiting.value;
  if (!known && !isLoaded()) return;
  const before = known;
  known = new Set([...queue, ...mine]);
  if (!before) return;
  const fresh = (id: string) => !before.has(id);
  const first =
    queue.find((id) => fresh(id) && isRecent(id)) ?? mine.find((id) => fresh(id) && !isOpen(id));
  if (first) alert(first);
}

function isLoaded(): boolean {
  return loads.mine.value.state === "whole" && /more|whole/.test(loads.waiting.value.state);
}

/** Whoever took it himself, has it before him. */
function isOpen(id: string): boolean {
  const here = route.peek();
  return here.at === "inbox" && here.conversation === id;
}

const RECENT = 60_000;

function isRecent(id: string): boolean {
  const row = findRow(id)?.peek();
  return row !== undefined && Date.now() - (row.waiting_since ?? 0) < RECENT;
}

function ringForMessage(conversation: string, events: WireEvent[]): void {
  const spoken = events.some(
    (event) => event.type === "message.posted" && event.author.kind === "visitor",
  );
  if (spoken) alert(conversation);
}

function alert(conversation: string): void {
  if (settings.peek().sound) playTone();
  if (settings.peek().notifications && document.visibilityState === "hidden") notify(conversation);
}

function notify(conversation: string): void {
  const row = findRow(conversation)?.peek();
  if (!row || !("Notification" in window) || Notification.permission !== "granted") return;
  try {
    const note = new Notification(say().notify.waiting(nameOf(row)), { tag: conversation });
    note.onclick = () => {
      window.focus();
      go(conversationPath(conversation));
      note.close();
    };
  } catch {
    // Some phones only let a service worker do this; the title and the sound have said it.
  }
}

let audio: AudioContext | undefined;
let lastTone = 0;

/** Two soft notes, a third apart; not more than one pair in two seconds. */
export function playTone(): void {
  const now = Date.now();
  // Browsers keep a page silent until somebody has touched it.
  if (now - lastTone < 2000 || navigator.userActivation?.hasBeenActive === false) return;
  lastTone = now;
  audio ??= new AudioContext();
  if (audio.state === "suspended") audio.resume().catch(() => {});
  playNote(audio, 659, 0);
  playNote(audio, 831, 0.12);
}

function playNote(context: AudioContext, frequency: number, after: number): void {
  const [tone, volume] = [context.createOscillator(), context.createGain()];
  const start = context.currentTime + after;
  tone.frequency.value = frequency;
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(0.12, start + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.001, start + 0.35);
  tone.connect(volume).connect(context.destination);
  tone.start(start);
  tone.stop(start + 0.4);
}
