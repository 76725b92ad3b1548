import type { ComponentChildren } from "preact";
import { Icon } from "./icons";

export type PresenceState = "available" | "away" | "offline";

interface FaceProps {
  name?: string | null | undefined;
  /** Address of a picture; initials stand in for it. */
  picture?: string | null | undefined;
  /** Pixels. */
  size?: number;
  presence?: PresenceState | undefined;
  /** The answer clock, when somebody waits. */
  children?: ComponentChildren;
}

export function Face({ name, picture, size = 34, presence, children }: FaceProps) {
  return (
    <span
      class={name ? "face" : "face nameless"}
      style={{ "--size": `${size}px`, "--hue": String(hueOf(name ?? "")) }}
    >
      <Likeness name={name} picture={picture} />
      {children}
      {presence && <i class={`dot ${presence}`} />}
    </span>
  );
}

function Likeness({ name, picture }: Pick<FaceProps, "name" | "picture">) {
  if (picture) return <img class="picture" src={picture} alt="" loading="lazy" />;
  if (!name)
    return (
      <span class="picture" aria-hidden="true">
        <Icon name="person" />
      </span>
    );
  return <span class="picture" data-text={initialsOf(name)} />;
}

const SEGMENTS = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** First letters of the first and the last word: "Joris van Dam" is JD. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const picked = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  return picked.map((word) => firstLetter(word ?? "")).join("");
}

function firstLetter(word: string): string {
  for (const { segment } of SEGMENTS.segment(word)) return segment.toLocaleUpperCase();
  return "";
}

/** The same person has the same colour everywhere. */
function hueOf(name: string): number {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 360;
  return hash;
}
