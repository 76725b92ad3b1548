import type { AdminWords } from "./words/nl";

/** An endpoint as `GET /webhooks` tells an administrator. */
export interface Webhook {
  id: string;
  url: string;
  types: string[];
  enabled: boolean;
  created_at: number;
  disabled_because?: "asked" | "gone" | "failing";
  failing_since?: number;
  /** Until then the former secret signs as well. */
  former_until?: number;
}

export interface MadeWebhook {
  webhook: Webhook;
  secret: string;
}

export interface Result {
  code?: string;
  status?: number;
  milliseconds?: number;
}

export type DeliveryState = "waiting" | "leased" | "done" | "dead" | "gone";

export interface Delivery {
  id: string;
  type: string;
  conversation: string;
  seq: number;
  state: DeliveryState;
  attempts: number;
  created_at: number;
  due_at?: number;
  ended_at?: number;
  result?: Result;
}

export const TYPES = [
  "conversation.started",
  "message.posted",
  "note.posted",
  "conversation.assigned",
  "conversation.released",
  "conversation.closed",
  "conversation.reopened",
  "conversation.rated",
  "conversation.tagged",
  "conversation.untagged",
  "visitor.identified",
];

/** What most programs want to begin with. */
export const USUAL = ["conversation.started", "message.posted", "conversation.closed"];

export const isWell = ({ status = 0 }: Result): boolean => status >= 200 && status < 300;

/** What came of an attempt, in words: an answer by its number, else why there was none. */
export function sayResult(result: Result, words: AdminWords["webhooks"]): string {
  const { code = "", status } = result;
  return status === undefined ? (words.codes[code] ?? words.codes.broken ?? code) : `${status}`;
}

export function sayDuration(milliseconds: number, language: string): string {
  const short = milliseconds < 1000;
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: short ? "millisecond" : "second",
    maximumFractionDigits: short ? 0 : 1,
  }).format(short ? milliseconds : milliseconds / 1000);
}
