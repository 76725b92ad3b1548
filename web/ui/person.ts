// How a person without a picture looks: initials on a colour of his own. Panel and console share it, so that
// visitor and agent see the same face. Both are made of the name alone, the only thing that every place has;
// visitors without one are drawn in the console only, in colours made of their ids.

/** How many colours there are: fewer would be shared too often, more could not be told apart. */
const HUES = 12;

/** First letters of the first and the last word: "Joris van Dam" is JD. */
export function initialsOf(name: string): string {
  const words = wordsOf(name);
  const picked = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  // Not by the reader's own language, in which a letter may have another capital.
  return picked.map((word) => firstLetter(word as string).toUpperCase()).join("");
}

/** Degrees on the colour wheel of OKLCH, the same for the same name, however it is spaced. */
export function hueOf(name: string): number {
  let hash = 0;
  for (const letter of wordsOf(name).join(" ").normalize("NFC"))
    hash = (hash * 31 + (letter.codePointAt(0) as number)) % 9973;
  return (hash % HUES) * (360 / HUES);
}

/** What stands around a word, as in "(Sanne)", is not its first letter. */
function wordsOf(name: string): string[] {
  const words = name.split(/\s+/).filter(Boolean);
  const bare = words.map((word) => word.replace(/^[^\p{L}\p{N}\p{Extended_Pictographic}]+/u, ""));
  return bare.some(Boolean) ? bare.filter(Boolean) : words;
}

/** A letter as people count them; an emoji of several signs is one. */
function firstLetter(word: string): string {
  // Not every browser that can chat has a segmenter.
  if (!("Segmenter" in Intl)) return [...word][0] ?? "";
  for (const { segment } of new Intl.Segmenter().segment(word)) return segment;
  return "";
}
