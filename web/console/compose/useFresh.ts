import { useEffect, useRef, useState } from "preact/hooks";
import { onEvents } from "../state/link";

/** So long a message must have been in sight before it counts as read by who is typing. */
const READ_WITHIN = 2_000;

interface Fresh {
  /** Something came in that the writer has not seen. */
  waiting: boolean;
  seen: () => void;
}

/** Watches whether the visitor says something new while an answer is being written. */
export function useFresh(conversation: string, idle: boolean, atEnd: boolean): Fresh {
  const [waiting, setWaiting] = useState(false);
  const typing = useRef(!idle);
  typing.current = !idle;

  useEffect(() => setWaiting(false), [conversation]);
  useEffect(
    () =>
      onEvents((id, events) => {
        const spoken = events.some(
          (event) => event.type === "message.posted" && event.author.kind === "visitor",
        );
        if (id === conversation && spoken && typing.current) setWaiting(true);
      }),
    [conversation],
  );
  useEffect(() => {
    if (!waiting || !atEnd) return;
    const timer = setTimeout(() => setWaiting(false), READ_WITHIN);
    return () => clearTimeout(timer);
  }, [waiting, atEnd]);

  return { waiting, seen: () => setWaiting(false) };
}
