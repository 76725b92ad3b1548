// What the server writes into the frame's page, so that nothing needs to be asked before the first paint:
//
//   <!doctype html><html lang="nl"><head>… <title>Kade 9</title>
//   <script type="application/json" id="balie-boot">{…}</script>
//   <script type="module" src="…/main-HASH.js"></script></head><body></body></html>
//
// `<` in the JSON is written as \u003c. `texts` is `languages/{language}.json` as it is.

import type { Desk } from "../protocol/types";
import type texts from "./languages/en.json";

export type Texts = typeof texts;

export interface Boot {
  /** The site's public key and its name. */
  site: string;
  name: string;
  language: string;
  texts: Texts;
  /** Origins of pages that may frame the panel and talk to it. */
  origins: string[];
  look: { accent: string; accent_ink: string; accent_dark: string; accent_dark_ink: string };
  /** The site's own words in this language; empty: Balie's. */
  greeting?: string;
  away?: string;
  desk: Desk;
  /** Ask for a rating when a conversation was closed? */
  rates: boolean;
  max_file_bytes: number;
  /** The page by itself (`/chat/{key}`) instead of a panel in a frame. */
  hosted?: boolean;
}

export const boot: Boot = JSON.parse(document.getElementById("balie-boot")?.textContent ?? "{}");

/** A text in the visitor's language, its {gaps} filled. */
export function say(key: keyof Texts, gaps: Record<string, string | number> = {}): string {
  return (boot.texts[key] ?? key).replace(/\{(\w+)\}/g, (_, gap) => `${gaps[gap] ?? ""}`);
}
