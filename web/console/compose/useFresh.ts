import { useEffect, useRef, useState } from "preact/hooks";
import { onEvents } from "../state/link";

/** So long a message must have been in sight before it counts as read by who is typing. */
const READ_WITHIN = 2_000;

/** What the writer has not seen: nothing, something, or something that kept his answer from going. */
export type Unread = "nothing" | "new" | "held";

interface Fresh {
  unread: Unread;
  hold: () => void;
  seen: () => void;
}

/** Watches whether the visitor says something new while an answer is being written. */
export function useFresh(conversation: string, idle: boolean, atEnd: boolean): Fresh {
  const [unread, setUnread] = useState<Unread>("nothing");
  const typing = useRef(!idle);
  typing.current = !idle;

  useEffect(() => setUnread("nothing"), [conversation]);
  useEffect(
    () =>
      onEvents((id, events) => {
        const spoken = events.some(
          (event) => event.type === "message.posted" && event.author.kind === "visitor",
        );
        // Who has been told once that his answer waits, is not stopped again.
        if (id === conversation && spoken && typing.current)
          setUnread((now) => (now === "held" ? now : "new"));
      }),
    [conversation],
  );
  // That an answer did not go stays told until it goes, or the writer shows that he has read.
  useEffect(() => {
    if (unread !== "new" || !atEnd) return;
    const timer = setTimeout(() => setUnread("nothing"), READ_WITHIN);
    return () => clearTimeout(timer);
  }, [unread, atEnd]);
  useEffect(() => {
    if (idle) setUnread("nothing");
  }, [idle]);

  return { unread, hold: () => setUnread("held"), seen: () => setUnread("nothing") };
}
