import type { Item } from "../../protocol/session";
import { Button } from "../../ui/buttons";
import { Icon } from "../../ui/icons";
import { KeyHint } from "../../ui/marks";
import { status, tell } from "../state/link";
import { say, settings } from "../state/me";
import { type Held, held, takeBack, unconfirmed } from "../state/outbox";
import { second } from "../state/time";
import { FileChip } from "./Files";
import { Linked } from "./links";

/** What is sent and does not stand in the log yet, below everything that does. */
export function Pending({ conversation }: { conversation: string }) {
  const waiting = unconfirmed.value.filter(
    (item) => item.conversation === conversation && item.state !== "acked",
  );
  const resting = held.value.filter((item) => item.conversation === conversation);
  return (
    <div class="pending">
      {waiting.map((item) => (
        <Unconfirmed key={item.client_message_id} item={item} />
      ))}
      {resting.map((item) => (
        <HeldItem key={item.client_message_id} item={item} />
      ))}
    </div>
  );
}

function Unconfirmed({ item }: { item: Item }) {
  const offline = status.value !== "live";
  const failed = item.state === "failed";
  return (
    <article class={item.kind === "note" ? "message ours as-note" : "message ours first last"}>
      {item.files.map((file) => (
        <FileChip key={file.id} file={file} />
      ))}
      {item.text && (
        <div class={offline && !failed ? "bubble unsent" : "bubble"}>
          <Linked text={item.text} />
        </div>
      )}
      {failed ? <Failed item={item} /> : <Underway offline={offline} />}
    </article>
  );
}

function Underway({ offline }: { offline: boolean }) {
  const { thread } = say();
  return (
    <p class="status">
      <Icon name="clock" size="small" />
      {offline ? thread.waiting : thread.sending}
    </p>
  );
}

function Failed({ item }: { item: Item }) {
  const { thread, reasons, again } = say();
  const id = { client_message_id: item.client_message_id };
  const reason = reasons[item.error as keyof typeof reasons] ?? reasons.other;
  return (
    <p class="status failed" role="alert">
      <Icon name="alert" size="small" />
      {thread.failed} {reason}
      <Button kind="plain" size="small" onClick={() => tell({ type: "retry", ...id })}>
        {again}
      </Button>
      <Button kind="plain" size="small" onClick={() => tell({ type: "discard", ...id })}>
        {thread.discard}
      </Button>
    </p>
  );
}

function HeldItem({ item }: { item: Held }) {
  const { thread } = say();
  second.value;
  const seconds = Math.max(1, Math.ceil((item.leaves - Date.now()) / 1000));
  return (
    <article class="message ours first last">
      {item.files.map((file) => (
        <FileChip key={file.id} file={file} />
      ))}
      {item.text && (
        <div class="bubble">
          <Linked text={item.text} />
        </div>
      )}
      <p class="status">
        {thread.leaves_in(seconds)} ·
        <button type="button" class="link" onClick={() => takeBack(item.client_message_id)}>
          {thread.undo}
        </button>
        {settings.value.single_keys && <KeyHint>Z</KeyHint>}
      </p>
    </article>
  );
}
