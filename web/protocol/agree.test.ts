// Tabs that open at once: whoever comes first makes the visitor, however late the others can read it.

import { afterEach, expect, it, vi } from "vitest";
import type { Known } from "./agree";

type Held = { name: string; back: () => void };

/** The locks of one browser, for all its tabs. */
class Locks {
  held: Held[] = [];
  private queues = new Map<string, Promise<unknown>>();

  async query() {
    return { held: this.held.map(({ name }) => ({ name })) };
  }

  async request(name: string, how: unknown, given?: () => Promise<void>) {
    const work = (given ?? how) as () => Promise<void>;
    if (given) return this.hold(name, work);
    const turn = (this.queues.get(name) ?? Promise.resolve()).then(() => this.hold(name, work));
    this.queues.set(
      name,
      turn.catch(() => {}),
    );
    return turn;
  }

  private async hold(name: string, work: () => Promise<void>) {
    const held = { name, back() {} };
    this.held.push(held);
    try {
      await work();
    } finally {
      this.held.splice(this.held.indexOf(held), 1);
    }
  }
}

/** What the browser keeps, as one tab sees it: its own writing at once, that of others `late`. */
class Shelves {
  private writes: { by: number; at: number; known: Known }[] = [];

  constructor(private readonly late: number) {}

  of(tab: number) {
    return {
      get: () =>
        this.writes.findLast(({ by, at }) => by === tab || Date.now() >= at + this.late)?.known,
      set: (known: Known) => {
        this.writes.push({ by: tab, at: Date.now(), known });
      },
    };
  }
}

/** Each tab has the module for itself. */
async function tab(): Promise<typeof import("./agree")> {
  vi.resetModules();
  return import("./agree");
}

const visitor = (number: number): Known => ({ id: `v${number}`, token: `t${number}` });

async function open(count: number, late: number, locks: unknown): Promise<string[]> {
  vi.stubGlobal("navigator", { locks });
  const shelves = new Shelves(late);
  const tabs = await Promise.all(Array.from({ length: count }, tab));
  const chosen = tabs.map(({ agree }, number) =>
    agree("balie:K:", visitor(number), shelves.of(number)),
  );
  return (await Promise.all(chosen)).map(({ id }) => id);
}

afterEach(() => vi.unstubAllGlobals());

it.each([0, 30, 400])("three tabs are one visitor, when one reads %i ms later", async (late) => {
  expect(await open(3, late, new Locks())).toEqual(["v0", "v0", "v0"]);
});

it("without locks, whoever is kept by now is the one", async () => {
  const denied = { request: () => Promise.reject(new Error("SecurityError")) };
  expect(await open(2, 0, denied)).toEqual(["v0", "v0"]);
  expect(await open(2, 0, undefined)).toEqual(["v0", "v0"]);
});

it("a tab alone keeps its own, and asks nobody to wait", async () => {
  const began = Date.now();
  expect(await open(1, 0, new Locks())).toEqual(["v0"]);
  expect(Date.now() - began).toBeLessThan(1_000);
});

it("who is there no longer holds nobody up", async () => {
  const locks = new Locks();
  vi.stubGlobal("navigator", { locks });
  const shelf = new Shelves(0).of(0);
  const { agree, stepBack } = await tab();
  await agree("balie:K:", visitor(1), shelf);
  expect(locks.held).toHaveLength(1);
  stepBack();
  await new Promise((done) => setTimeout(done));
  expect(locks.held).toHaveLength(0);
});
