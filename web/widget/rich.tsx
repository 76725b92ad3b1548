// What a person typed, as nodes: links, line breaks and nothing else. Never as HTML.

import type { ComponentChildren } from "preact";

const LINK = /\b(?:https?:\/\/|mailto:)[^\s<>"]+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gi;
/** What ends a sentence does not belong to the address in it. */
const TAIL = /[.,;:!?'’”*]+$/;
const EMOJI =
  /^(?:\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}\uFE0F]?(?:\u200D\p{Extended_Pictographic}\uFE0F?)*\s?){1,3}$/u;

export function rich(text: string): ComponentChildren[] {
  const nodes: ComponentChildren[] = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const address = trimmed(match[0]);
    const href = safe(address);
    if (!href) continue;
    nodes.push(text.slice(from, match.index));
    nodes.push(
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {address}
      </a>,
    );
    from = match.index + address.length;
  }
  nodes.push(text.slice(from));
  return nodes;
}

export const isEmoji = (text: string) => text.length < 40 && EMOJI.test(text);

function trimmed(address: string): string {
  const bare = address.replace(TAIL, "");
  return bare.endsWith(")") && !bare.includes("(") ? trimmed(bare.slice(0, -1)) : bare;
}

/** The address to go to, or undefined when it is not one of http, https, mailto. */
function safe(address: string): string | undefined {
  const href = /^[a-z]+:/i.test(address) ? address : `mailto:${address}`;
  try {
    const { protocol } = new URL(href);
    return /^(?:https?|mailto):$/.test(protocol) ? href : undefined;
  } catch {
    return undefined;
  }
}
