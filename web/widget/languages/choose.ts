import type { Texts } from "./texts";

const LANGUAGES: Record<string, () => Promise<{ texts: Texts }>> = {
  en: () => import("./en"),
  nl: () => import("./nl"),
};

/** The first wished language that the panel speaks, or English. */
export function chooseLanguage(wished: readonly string[]): string {
  const spoken = wished.map((tag) => tag.toLowerCase().split("-")[0] ?? "");
  return spoken.find((language) => Object.hasOwn(LANGUAGES, language)) ?? "en";
}

/** The texts of a language that `chooseLanguage` gave. */
export async function loadTexts(language: string): Promise<Texts> {
  const load = LANGUAGES[language];
  if (!load) throw new RangeError(`The panel does not speak "${language}".`);
  return (await load()).texts;
}
