import type { ComponentChildren } from "preact";

const ADDRESS = /\bhttps?:\/\/[^\s<>"]+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gi;
/** What ends a sentence is not part of the address before it. */
const TRAILING = /[.,;:!?'"’”)\]]+$/;

/** Text as somebody typed it, with addresses made into links. Never HTML. */
export function Linked({ text }: { text: string }) {
  return <>{splitLinks(text).map(showPart)}</>;
}

export interface Part {
  text: string;
  href?: string;
}

function showPart({ text, href }: Part, index: number): ComponentChildren {
  if (!href) return text;
  return (
    <a key={index} href={href} target="_blank" rel="noopener noreferrer nofollow">
      {text}
    </a>
  );
}

export function splitLinks(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimEnd(match[0]);
    const href = /^https?:/i.test(address) ? address : `mailto:${address}`;
    if (!URL.canParse(href)) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: address, href });
    end = match.index + address.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** A bracket that closes one inside the address belongs to it. */
function trimEnd(address: string): string {
  const balanced = address.includes("(") && address.endsWith(")");
  return balanced ? address : address.replace(TRAILING, "");
}
