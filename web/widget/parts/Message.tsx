// One message as it stands on the paper: bubble, files, face, time and status.

import type { ComponentChildren } from "preact";
import type { File } from "../../protocol/types";
import { say } from "../boot";
import { download, isPicture, picture } from "../files";
import { clockTime, firstName, size } from "../format";
import { lastMine } from "../live";
import { isEmoji, rich } from "../rich";
import type { MessageRow } from "../rows";
import { reached } from "../state";
import { Face } from "./Clock";
import { Icon } from "./Icon";

export function Message({ row }: { row: MessageRow }) {
  const { author, mine, first, last } = row;
  const program = author.kind === "bot" || author.kind === "api" || author.kind === "system";
  const by = mine ? say("you") : program ? say("program") : firstName(author.name);
  const kind = mine ? " is-mine" : program ? " is-bot" : "";
  return (
    <div class={`turn${kind}${first ? " is-first" : ""}${last ? " is-last" : ""}`}>
      {program && first ? <p class="by">{by}</p> : <span class="vh">{by}: </span>}
      <Said text={row.text} files={row.files} />
      {last && !mine && !program && <Face person={author} />}
      {last && (mine ? <Sent row={row} /> : <p class="meta">{clockTime(row.at)}</p>)}
    </div>
  );
}

export function Said({ text, files }: { text: string; files: File[] }) {
  return (
    <>
      {files.map((file) =>
        isPicture(file) ? <Shot key={file.id} file={file} /> : <Paper key={file.id} file={file} />,
      )}
      {text && <div class={isEmoji(text) ? "bubble is-emoji" : "bubble"}>{rich(text)}</div>}
    </>
  );
}

/** Under the last of one's own: how far it came. */
function Sent({ row }: { row: MessageRow }) {
  if (lastMine.value !== row.key) return <p class="meta">{clockTime(row.at)}</p>;
  const marks = reached.value;
  const state =
    row.seq <= (marks?.read ?? 0)
      ? "read"
      : row.seq <= (marks?.delivered ?? 0)
        ? "delivered"
        : "sent";
  return (
    <p class={`meta is-${state}`}>
      <Icon name={state === "sent" ? "check" : "checks"} small />
      {say(state)} {clockTime(row.at)}
    </p>
  );
}

function Shot({ file }: { file: File }) {
  const address = picture(file).value;
  const { width = 4, height = 3, name } = file;
  return (
    <a
      class="shot"
      href={address ?? "#"}
      target="_blank"
      rel="noopener"
      onClick={(event) => address || event.preventDefault()}
    >
      <img src={address} width={width} height={height} alt={say("photo", { name })} />
    </a>
  );
}

function Paper({ file }: { file: File }) {
  const { name, size: bytes } = file;
  return (
    <button
      type="button"
      class="file"
      aria-label={say("download", { name })}
      onClick={() => void download(file).catch(() => {})}
    >
      <FileText name={name} line={`${ending(name)}${size(bytes)}`} />
    </button>
  );
}

const ending = (name: string) => {
  const dot = name.lastIndexOf(".");
  return dot > 0 && name.length - dot < 7 ? `${name.slice(dot + 1).toUpperCase()}, ` : "";
};

export function FileText(props: { name: string; line: ComponentChildren; failed?: boolean }) {
  return (
    <>
      <Icon name={props.failed ? "alert" : "file"} />
      <span class="file-text">
        <span class="file-name">{props.name}</span>
        <span class="file-sub">{props.line}</span>
      </span>
    </>
  );
}
