import type { Row, WireEvent } from "../../protocol/types";
import { Icon } from "../../ui/icons";
import { sayTime } from "../../ui/intl";
import { language, say } from "../state/me";

interface ReceiptProps {
  event: Exclude<WireEvent, { type: "internal" }>;
  row: Row;
}

/** Nothing is claimed that the server has not confirmed. */
export function Receipt({ event, row }: ReceiptProps) {
  const { thread } = say();
  const { delivered, read } = row.receipts.visitor;
  const isRead = read >= event.seq;
  const word = isRead ? thread.read : delivered >= event.seq ? thread.delivered : thread.sent;
  return (
    <p class="status">
      {sayTime(event.at, language.value)} · {word}
      <Icon name={isRead ? "read" : "check"} size="small" />
    </p>
  );
}
