// What launcher and panel say by themselves: their own words, so that the preview cannot say otherwise.

import { textsOf } from "../../launcher/texts";
import en from "../../widget/languages/en.json";
import nl from "../../widget/languages/nl.json";
import type { Tongue } from "./sites";

const WORDS = { nl, en };

/** A text of the panel in each language, its gaps filled. */
export function panelSays(
  word: keyof typeof nl,
  gaps: Record<string, string> = {},
): Record<Tongue, string> {
  const filled = (text: string) => text.replace(/\{(\w+)\}/g, (gap, name) => gaps[name] ?? gap);
  return { nl: filled(WORDS.nl[word]), en: filled(WORDS.en[word]) };
}

/** The launcher's label while `name` is there. */
export function launcherSays(name: string): Record<Tongue, string> {
  return { nl: `${textsOf("nl")[0]}${name}`, en: `${textsOf("en")[0]}${name}` };
}
