import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "./icons";
import { hueOf, initialsOf } from "./person";

export type PresenceState = "available" | "away" | "offline";

interface FaceProps {
  name?: string | null | undefined;
  /** Tells somebody without a name from others without one. */
  id?: string | undefined;
  /** Address of a picture; initials stand in for it. */
  picture?: string | null | undefined;
  /** Pixels. */
  size?: number;
  presence?: PresenceState | undefined;
  /** The answer clock, when somebody waits. */
  children?: ComponentChildren;
}

export function Face({ name, id = "", picture, size = 34, presence, children }: FaceProps) {
  return (
    <span
      class={name ? "face" : "face nameless"}
      style={{ "--size": `${size}px`, ...huesOf(name, id) }}
    >
      <Likeness name={name} picture={picture} />
      {children}
      {presence && <i class={`dot ${presence}`} />}
    </span>
  );
}

/** A name has initials beside its colour. Who has none gets two colours: twelve alone are soon shared. */
function huesOf(name: string | null | undefined, id: string): Record<string, string> {
  if (name) return { "--hue": String(hueOf(name)) };
  return { "--hue": String(hueOf(id)), "--hue-2": String(hueOf(`${id} once more`)) };
}

function Likeness({ name, picture }: Pick<FaceProps, "name" | "picture">) {
  // What somebody looked like when he wrote may be gone: a picture that was replaced is not kept.
  const [gone, setGone] = useState("");
  if (picture && picture !== gone)
    return (
      <img class="picture" src={picture} alt="" loading="lazy" onError={() => setGone(picture)} />
    );
  if (!name)
    return (
      <span class="picture" aria-hidden="true">
        <Icon name="person" />
      </span>
    );
  return <span class="picture" data-text={initialsOf(name)} />;
}
