import { asProblem, UNREACHABLE } from "../state/api";
import { language } from "../state/me";
import { en } from "./words/en";
import { type AdminWords, nl } from "./words/nl";

export function tell(): AdminWords {
  return language.value === "nl" ? nl : en;
}

/** What to say of a change that was not taken. */
export function explain(fault: unknown): string {
  const words = tell();
  const problem = asProblem(fault);
  if (problem.code === UNREACHABLE) return words.unreachable;
  return problem.status === 403 ? words.forbidden : words.save_failed;
}
