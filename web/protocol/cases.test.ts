// @vitest-environment node
// The stories of tests/cases/protocol, played by this session. Their format is described there.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Effect, type Input, Session } from "./session";

interface Step {
  use?: string;
  at?: number;
  in?: Input;
  out?: Effect | string;
  wake?: number | null;
}

interface Case {
  name: string;
  kind: "visitor" | "agent";
  random?: number;
  steps: Step[];
}

const FOLDER = new URL("../../tests/cases/protocol/", import.meta.url);
const load = (file: string) => JSON.parse(readFileSync(new URL(file, FOLDER), "utf8"));
const setups: Record<string, Step[]> = load("setups.json");
const files = readdirSync(FOLDER).filter((name) => /\.json$/.test(name) && name !== "setups.json");

describe.each(files)("%s", (file) => {
  const story: Case = load(file);
  it(story.name, () => play(story));
});

it("finds the cases", () => expect(files.length).toBeGreaterThan(40));

function play({ kind, random = 0.5, steps }: Case): void {
  const session = new Session(kind, () => random);
  let now = 1000;
  let effects: Effect[] = [];

  const enter = ({ in: input, at = now }: Step) => {
    now = at;
    return session.step(input as Input, now);
  };
  for (const [index, step] of steps.entries()) {
    const where = `step ${index}: ${JSON.stringify(step).slice(0, 200)}`;
    if (step.use) {
      expect(setups, where).toHaveProperty(step.use);
      for (const earlier of setups[step.use] as Step[]) enter(earlier);
    } else if (step.in) {
      expect(effects, `${where}: effects left over before it`).toEqual([]);
      effects = [...enter(step)];
    } else if ("wake" in step) {
      expect(effects, `${where}: effects left over before it`).toEqual([]);
      const wake = session.wakeAt();
      expect(Number.isFinite(wake) ? wake : null, where).toBe(step.wake);
    } else {
      const effect = effects.shift();
      if (typeof step.out === "string") expect(effect?.type, where).toBe(step.out);
      else expect(effect, where).toEqual(step.out);
    }
  }
  expect(effects, "effects after the last step").toEqual([]);
}
