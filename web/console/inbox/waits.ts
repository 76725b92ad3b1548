import type { Row } from "../../protocol/types";
import { measureWait, type Wait } from "../../ui/clock";
import { status } from "../state/link";
import { latestOf, PROMISE_SECONDS } from "../state/order";
import { second } from "../state/time";

/** How long this conversation waits now, null when nobody waits. Without a connection we do not know. */
export function waitOf(row: Row): Wait | null {
  if (row.status === "closed" || row.waiting_since === undefined) return null;
  const wait = measureWait(row.waiting_since, second.value, PROMISE_SECONDS);
  return isBlind() ? { ...wait, state: "unknown" } : wait;
}

function isBlind(): boolean {
  return status.value === "waiting" || status.value === "stopped";
}

export function secondsSinceLast(row: Row): number {
  return Math.max(0, (second.value - latestOf(row)) / 1000);
}
