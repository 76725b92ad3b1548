// What the server writes into the frame's page (`Boot` in `balie.http.screens`), so that nothing needs to be
// asked before one can type. `words` is `languages/{language}.json` as it is.

import type { Desk } from "../protocol/types";
import type words from "./languages/en.json";

export type Words = typeof words;

export interface Boot {
  language: string;
  words: Words;
  /** The page by itself (`/chat/{key}`) instead of a panel in a frame. */
  hosted: boolean;
  /** Origins of pages that may frame the panel and talk to it. */
  origins: string[];
  max_file_bytes: number;
  /** As `GET /api/v1/sites/{key}/state`, its texts in `language` alone. */
  state: {
    key: string;
    name: string;
    desk: Desk;
    look: { accent: string; accent_ink: string; accent_dark: string; accent_dark_ink: string };
    /** The site's own words; empty or missing: Balie's. */
    texts: Record<string, { greeting?: string; away?: string }>;
    after_close: "rate" | "nothing";
  };
}

export const boot: Boot = JSON.parse(document.getElementById("balie-boot")?.textContent ?? "{}");

export const site = boot.state;

/** What the site itself says in this language. */
export const own = site.texts[boot.language] ?? {};

/** A text in the visitor's language, its {gaps} filled. */
export function say(key: keyof Words, gaps: Record<string, string | number> = {}): string {
  return (boot.words[key] ?? key).replace(/\{(\w+)\}/g, (_, gap) => `${gaps[gap] ?? ""}`);
}
