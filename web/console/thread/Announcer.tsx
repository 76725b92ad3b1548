import { useEffect, useState } from "preact/hooks";
import type { File, Row, WireEvent } from "../../protocol/types";
import { onEvents } from "../state/link";
import { firstNameOf } from "../state/people";

/** Says aloud what comes in, politely; history is not read out. */
export function Announcer({ row }: { row: Row }) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    setSaid("");
    return onEvents((conversation, events) => {
      if (conversation === row.id) setSaid((before) => aloud(events, firstNameOf(row)) || before);
    });
  }, [row.id]);
  return (
    <p class="aloud" role="log">
      {said}
    </p>
  );
}

function aloud(events: readonly WireEvent[], name: string): string {
  return events
    .filter((event) => event.type === "message.posted")
    .filter((event) => event.author.kind === "visitor")
    .map((event) => `${name}: ${event.data.text || namesOf(event.data.files)}`)
    .join(" ");
}

function namesOf(files: readonly File[] = []): string {
  return files.map((file) => file.name).join(", ");
}
