// What is not with the server yet: messages that wait or failed, and files on their way.

import type { Item } from "../../protocol/words";
import { say } from "../boot";
import { useInView } from "../ending";
import { type Sending, takeAway, tryAgain, uploads } from "../files";
import { clockTime, size } from "../format";
import { discard, retry } from "../live";
import { current, drafts, focusing, pending, status, typed } from "../state";
import { Icon } from "./Icon";
import { FileText, Said } from "./Message";

export function Pending() {
  const items = pending.value;
  return (
    <>
      {items.map((item, index) => (
        <Unsent
          key={item.client_message_id}
          item={item}
          first={index === 0}
          last={index === items.length - 1 || item.state === "failed"}
        />
      ))}
      {uploads.value
        .filter((one) => one.conversation === current.value)
        .map((sending) => (
          <Uploading key={sending.key} sending={sending} />
        ))}
    </>
  );
}

function Unsent({ item, first, last }: { item: Item; first: boolean; last: boolean }) {
  const waits = status.value !== "live" && item.state !== "acked";
  const place = useInView(item.state === "failed");
  const shape = `${first ? " is-first" : ""}${last ? " is-last" : ""}${waits ? " is-waiting" : ""}`;
  return (
    <div ref={place} class={`turn is-mine${shape}`}>
      <span class="vh">{say("you")}: </span>
      <Said text={item.text} files={item.files} />
      {item.state === "failed" ? <Failed item={item} /> : last && <Under item={item} />}
    </div>
  );
}

function Under({ item }: { item: Item }) {
  if (item.state === "acked")
    return (
      <p class="meta">
        <Icon name="check" small />
        {say("sent")} {clockTime(item.at)}
      </p>
    );
  if (status.value === "live")
    return <p class="meta">{say(item.state === "waiting" ? "busy" : "sending")}</p>;
  return (
    <p class="meta is-unsent">
      <Icon name="clock" small />
      {say("unsent")}
    </p>
  );
}

/** What will never be taken as it is goes back to where one types. */
const FINAL = ["too_long", "malformed", "empty"];

function Failed({ item }: { item: Item }) {
  const final = FINAL.includes(item.error ?? "");
  const change = () => {
    const draft = drafts.value[current.value ?? ""];
    typed(draft ? `${item.text}\n${draft}` : item.text);
    discard(item);
    focusing.value++;
  };
  return (
    <p class="meta is-failed" role="alert">
      {say(item.error === "too_long" ? "tooLong" : final ? "refused" : "failed")}
      {final ? (
        <button type="button" onClick={change}>
          {say("change")}
        </button>
      ) : (
        <button type="button" onClick={() => retry(item)}>
          {say("again")}
        </button>
      )}
      <button type="button" onClick={() => discard(item)}>
        {say("remove")}
      </button>
    </p>
  );
}

function Uploading({ sending }: { sending: Sending }) {
  const { file, progress, error } = sending;
  const name = file.name;
  const place = useInView(!!error);
  const part = `${size(progress * file.size)} / ${size(file.size)}`;
  return (
    <div ref={place} class="turn is-mine is-first is-last">
      <span class="vh">{say("you")}: </span>
      <div class={error ? "file is-failed" : "file"}>
        <FileText name={name} line={error ?? part} failed={!!error} />
        {!error && (
          <>
            <button
              type="button"
              class="icon-button"
              aria-label={say("stop")}
              onClick={() => takeAway(sending)}
            >
              <Icon name="x" small />
            </button>
            <progress value={progress} aria-label={`${name}: ${say("sending")}`} />
          </>
        )}
      </div>
      {error ? (
        <p class="meta is-failed" role="alert">
          {say("failed")}
          {!sending.final && (
            <button type="button" onClick={() => tryAgain(sending)}>
              {say("again")}
            </button>
          )}
          <button type="button" onClick={() => takeAway(sending)}>
            {say("remove")}
          </button>
        </p>
      ) : (
        <p class="meta">{say(status.value === "live" ? "sending" : "unsent")}</p>
      )}
    </div>
  );
}
