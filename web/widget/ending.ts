// The end of the paper, where the newest stands.

import { useEffect, useRef } from "preact/hooks";
import { atEnd } from "./state";

/** So far above the end still counts as there, px. */
const NEAR = 40;

/** Keep the end in view while the reader is there, whatever grows or shrinks. */
export function stayAtEnd(place: HTMLElement, body: HTMLElement): () => void {
  let top = place.scrollTop;
  let height = place.clientHeight;
  const toEnd = () => {
    if (atEnd.peek()) place.scrollTop = place.scrollHeight;
    // What shrank has moved him, too.
    top = place.scrollTop;
    height = place.clientHeight;
  };
  const watch = new ResizeObserver(toEnd);
  const moved = () => {
    // A composer that shrank moved him, not he himself; the observer comes right after this.
    if (place.clientHeight !== height) return;
    // What grows below does not take a reader away from the end: only he himself does, upwards.
    if (place.scrollHeight - place.scrollTop - place.clientHeight < NEAR) atEnd.value = true;
    else if (place.scrollTop < top) atEnd.value = false;
    top = place.scrollTop;
  };
  watch.observe(place);
  watch.observe(body);
  place.addEventListener("scroll", moved, { passive: true });
  return () => watch.disconnect();
}

/** For what failed: it comes into view with all that can be done about it, wherever the reader is. */
export function useInView(failed: boolean) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (failed) place.current?.scrollIntoView({ block: "nearest" });
  }, [failed]);
  return place;
}
