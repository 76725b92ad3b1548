// What an agent does with a conversation. The screen shows it at once and takes it back when it failed.

import { signal } from "@preact/signals";
import type { AgentName, Row } from "../../protocol/types";
import { asProblem, call, type Problem, UNREACHABLE } from "./api";
import { changeRow, findRow, waiting } from "./inbox";
import { colleagues } from "./link";
import { me, say } from "./me";
import { held, release } from "./outbox";
import { conversationPath, go, inboxPath, route } from "./route";
import { serverNow } from "./time";

interface Notice {
  text: string;
  /** `accent`: nothing went wrong, and the word goes by itself. */
  tone: "late" | "accent";
  conversation?: string;
}

/** The last thing that did not work, or is worth a word; shown in place above the thread. */
export const notice = signal<Notice | null>(null);

export function openConversation(id: string): void {
  const here = route.value;
  notice.value = null;
  go(conversationPath(id, here.at === "inbox" ? here.view : "open"));
}

/** Who waits longest, other than the one that is open and those whose answer is about to leave. */
export function longestWaiting(): string | undefined {
  const here = route.value;
  const open = here.at === "inbox" ? here.conversation : null;
  const { mine, queue } = waiting.value;
  const answered = new Set(held.value.map((item) => item.conversation));
  return [...mine, ...queue].find((id) => id !== open && !answered.has(id));
}

export function openLongestWaiting(): void {
  const next = longestWaiting();
  if (next) openConversation(next);
}

export async function takeFirst(): Promise<void> {
  const first = waiting.value.queue[0];
  if (!first) return;
  openConversation(first);
  await take(first);
}

/** True when it is ours now. */
export function take(id: string): Promise<boolean> {
  const self = ourselves();
  return self ? assign(id, self) : Promise.resolve(false);
}

function ourselves(): AgentName | undefined {
  const agent = me.value?.agent;
  if (!agent) return undefined;
  const { id, name, picture } = agent;
  return picture ? { id, name, picture } : { id, name };
}

/** `from` names who has it now, so that two who act at once do not undo each other. */
export function assign(id: string, agent: AgentName): Promise<boolean> {
  const from = findRow(id)?.peek().agent?.id;
  const body = { agent: agent.id, ...(from && { from }) };
  return act(id, { agent }, () => call("PUT", `/conversations/${id}/assignment`, body));
}

export function putBack(id: string): Promise<boolean> {
  return act(id, { agent: undefined }, () => call("DELETE", `/conversations/${id}/assignment`));
}

export async function closeConversation(id: string): Promise<void> {
  release(id);
  const change = { status: "closed", closed_at: serverNow(), waiting_since: undefined } as const;
  const closed = await act(id, change, () => call("PUT", `/conversations/${id}/closure`));
  if (!closed) return;
  const here = route.value;
  if (here.at !== "inbox" || here.conversation !== id) return;
  const next = waiting.value.mine[0];
  if (next) openConversation(next);
  else go(inboxPath(here.view));
}

export function reopen(id: string): Promise<boolean> {
  const change = { status: "open", closed_at: undefined } as const;
  return act(id, change, () => call("DELETE", `/conversations/${id}/closure`));
}

export function setTag(id: string, tag: string, on: boolean): Promise<boolean> {
  const tags = findRow(id)?.peek().tags ?? [];
  const wanted = on ? [...tags, tag] : tags.filter((one) => one !== tag);
  const path = `/conversations/${id}/tags/${encodeURIComponent(tag)}`;
  return act(id, { tags: wanted }, () => call(on ? "PUT" : "DELETE", path));
}

type Change = { [Key in keyof Row]?: Row[Key] | undefined };

async function act(id: string, change: Change, ask: () => Promise<unknown>): Promise<boolean> {
  const before = findRow(id)?.peek();
  changeRow(id, change as Partial<Row>);
  try {
    await ask();
    return true;
  } catch (fault) {
    const now = findRow(id)?.peek();
    if (before && now) changeRow(id, undo(change, before, now));
    notice.value = { ...explain(asProblem(fault)), conversation: id };
    return false;
  }
}

/** What the server said of it meanwhile, stays: of two who take at once, the other one has it. */
function undo(change: Change, before: Row, now: Row): Partial<Row> {
  const ours = (Object.keys(change) as (keyof Row)[]).filter((key) => now[key] === change[key]);
  return Object.fromEntries(ours.map((key) => [key, before[key]])) as Partial<Row>;
}

function explain(problem: Problem): Notice {
  const { acts } = say();
  if (problem.code === "taken") return { text: acts.taken(holderOf(problem)), tone: "accent" };
  return { text: problem.code === UNREACHABLE ? acts.offline : acts.failed, tone: "late" };
}

/** The server names a colleague by his id alone. */
function holderOf({ body }: Problem): string {
  const holder = colleagues.peek().find(({ id }) => id === body.holder);
  return holder?.name.split(" ")[0] ?? say().thread.someone;
}
