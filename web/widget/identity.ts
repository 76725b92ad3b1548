// One browser is one visitor: who it is, and how its tabs agree on that through what the browser keeps.

import { agree, comeForward, type Known, stepBack } from "../protocol/agree";
import type { VisitorSelf } from "../protocol/types";
import { access, ask, type Refused } from "./api";
import { site } from "./boot";
import { onHost, tellHost } from "./host";
import { kept } from "./kept";
import { link, me, status } from "./state";

const ROOT = `balie:${site.key}:`;
const HOST_WITHIN = 7_000;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;

const pause = (wait: number) => new Promise((done) => setTimeout(done, wait));

/** Who this browser is, as far as it keeps that. */
export function known(): Known | undefined {
  const token = kept.get("token");
  return token === undefined ? undefined : { id: kept.get("visitor") ?? "", token };
}

function remember({ id, token }: Known): void {
  kept.set("token", token);
  kept.set("visitor", id);
}

// Which one, the tabs agree on: the first that keeps its visitor makes him, every other takes that one.

/** Something is to be kept from now on: nothing goes out before the tabs agree on who says it. */
export function settle(): void {
  if (me.value) keepVisitor(me.value);
  else hold();
}

/** The server has said who we are. */
export function keepVisitor(visitor: Known): void {
  if (known()?.id === visitor.id) {
    remember(visitor);
    comeForward(ROOT).catch(() => {});
    release(visitor);
    return;
  }
  hold();
  settled(visitor).then((chosen) => {
    remember(chosen);
    release(chosen);
  });
}

/** Where the page keeps for us, it is asked: its tabs hear of each other, frames of it may not. */
function settled(own: Known): Promise<Known> {
  if (!kept.isBorrowed) return agree(ROOT, own, { get: known, set: remember });
  return new Promise((done) => {
    onHost("agreed", done);
    tellHost("agree", { id: own.id, token: own.token });
    setTimeout(done, HOST_WITHIN, own);
  });
}

/** Another tab has become somebody else, or the first to be somebody: so do we. */
export function onOther(): void {
  kept.onChange((name) => {
    const other = known();
    if (name !== "visitor" || !other?.id || other.id === me.value?.id) return;
    kept.allowed = true;
    if (!isHeld) link.step({ type: "identified", visitor: other });
  });
}

/** Nobody knows us any more; whom another tab has become meanwhile stays. */
export function drop(): void {
  const other = known();
  if (!other?.id || other.id === me.value?.id) {
    kept.set("token", undefined);
    kept.set("visitor", undefined);
  }
  me.value = undefined;
  stepBack();
  if (kept.allowed) settle();
}

// While it is open who we are, messages wait.

let isHeld = false;
let proofs = 0;

function hold(): void {
  isHeld = true;
  link.step({ type: "identify" });
}

/** A proof that is under way has the last word. */
function release(visitor?: Known): void {
  if (proofs) return;
  isHeld = false;
  link.step(visitor ? { type: "identified", visitor } : { type: "identified" });
}

// What the page says of who this is.

/** What could not be said yet. */
export const wanted: { identity?: object | undefined } = {};
let onChanged = (_before: VisitorSelf) => {};

/** `act` is called when what was shown belongs to another person. */
export function onSomebodyElse(act: (before: VisitorSelf) => void): void {
  onChanged = act;
}

export async function identify(who: object): Promise<void> {
  wanted.identity = who;
  if (!access.token) return;
  wanted.identity = undefined;
  const before = me.value;
  const answer = "token" in who ? await proven(who) : await say(who);
  if (before?.verified && answer.id !== before.id) onChanged(before);
  me.value = answer;
  access.token = answer.token;
  remember(answer);
  release(answer);
}

/** Under a new id, perhaps: messages wait until it is known which. */
async function proven(who: object): Promise<VisitorSelf> {
  proofs++;
  hold();
  const over = () => {
    proofs--;
  };
  return tryOn(who)
    .finally(over)
    .catch((problem) => {
      release();
      throw problem;
    });
}

/** However long the way to the server is blocked. What it refuses, it refuses for good. */
async function tryOn(who: object): Promise<VisitorSelf> {
  for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    try {
      return await say(who);
    } catch (problem) {
      const { status: refused = 0 } = problem as Partial<Refused>;
      if (refused && refused < 500 && refused !== 429) throw problem;
    }
    // Still connected as before: what is written meanwhile need not wait.
    if (status.value === "live") link.step({ type: "identified" });
    await pause(wait);
    hold();
  }
}

async function say(who: object): Promise<VisitorSelf> {
  return (await ask("PUT", "/visitor/identity", who)).json();
}
