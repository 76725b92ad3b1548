import type { Row } from "../../protocol/types";
import { AnswerClock, Seconds } from "../../ui/AnswerClock";
import { Face } from "../../ui/Face";
import { say } from "../state/me";
import { secondsSinceLast, waitOf } from "./waits";

/** The face of a visitor with the clock round it. */
export function VisitorFace({ row, size = 34 }: { row: Row; size?: number }) {
  const wait = waitOf(row);
  return (
    <Face name={row.visitor.name} id={row.visitor.id} size={size}>
      {wait && <AnswerClock share={wait.share} state={wait.state} />}
    </Face>
  );
}

/** `always`: also when nobody waits, then how long ago the last word was. */
export function VisitorSeconds({ row, always = false }: { row: Row; always?: boolean }) {
  const wait = waitOf(row);
  if (!wait && !always) return null;
  return <Seconds wait={wait} ago={secondsSinceLast(row)} words={say().units} />;
}
