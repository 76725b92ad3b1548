// What somebody means by the few letters he typed. Pure.

/** Without case and accents: "marit" finds "MÁRIT". */
export function plain(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

/**
 * Those in whose text every typed word begins a word, first; then those that hold them anywhere. What is equal
 * keeps its order; nothing typed finds everything.
 */
export function search<Item>(
  items: readonly Item[],
  typed: string,
  textOf: (item: Item) => string,
) {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  const texts = items.map((item) => ({ item, text: ` ${plain(textOf(item))}` }));
  const held = texts.filter(({ text }) => words.every((word) => text.includes(word)));
  const begins = ({ text }: { text: string }) => words.every((word) => isBegun(text, word));
  return [...held.filter(begins), ...held.filter((one) => !begins(one))].map(({ item }) => item);
}

function isBegun(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1))
    if (!/[\p{L}\p{N}]/u.test(text[at - 1] ?? "")) return true;
  return false;
}
