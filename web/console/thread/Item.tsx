import type { AgentName, Row, WireEvent } from "../../protocol/types";
import { Icon, type IconName } from "../../ui/icons";
import { isSameDay, sayDay, sayTime } from "../../ui/intl";
import { language, me, say } from "../state/me";
import { firstNameOf, nameOf, placeOf } from "../state/people";
import { serverNow } from "../state/time";
import type { Entry } from "./entries";
import { Files } from "./Files";
import { Linked } from "./links";
import { Receipt } from "./Receipt";

interface ItemProps {
  index: number;
  entry: Entry | null;
  row: Row;
}

/** A quiet bar, as high as what will stand there, as far as that is known. */
export function Unloaded({ index, height }: { index: number; height: number }) {
  return (
    <div data-index={index} class="unloaded" style={{ height: `${height}px` }} aria-hidden="true" />
  );
}

/** One event of the log; what is not to be shown has no height. */
export function Item({ index, entry, row }: ItemProps) {
  language.value; // A component that depends on a signal is not drawn again for equal props.
  if (entry === null) return <div data-index={index} class="nothing" />;
  return (
    <div data-index={index} class="entry">
      {entry.opensDay && <Day at={entry.event.at} />}
      <Told entry={entry} row={row} />
    </div>
  );
}

function Day({ at }: { at: number }) {
  const today = isSameDay(at, serverNow());
  return (
    <div class="day">
      <span>{today ? say().thread.today : sayDay(at, language.value)}</span>
    </div>
  );
}

function Told({ entry, row }: { entry: Entry; row: Row }) {
  switch (entry.event.type) {
    case "message.posted":
      return <Message entry={entry} event={entry.event} row={row} />;
    case "note.posted":
      return <NoteItem event={entry.event} />;
    case "page.viewed":
    case "visitor.described":
    case "event.tracked":
      return null;
    default:
      return <SystemLine event={entry.event} row={row} />;
  }
}

type Message = Extract<WireEvent, { type: "message.posted" }>;

function Message({ entry, event, row }: { entry: Entry; event: Message; row: Row }) {
  const ours = event.author.kind !== "visitor";
  const { text, files } = event.data;
  const shape = ["message", ours && "ours", entry.opensGroup && "first", entry.endsGroup && "last"];
  return (
    <article class={shape.filter(Boolean).join(" ")}>
      {entry.opensGroup && <Who event={event} row={row} />}
      {files && files.length > 0 && <Files files={files} />}
      {text && (
        <div class="bubble">
          <Linked text={text} />
        </div>
      )}
      {ours && entry.endsGroup && <Receipt event={event} row={row} />}
    </article>
  );
}

/** The time of our own messages stands in the line below them; for who listens, the name comes first. */
function Who({ event, row }: { event: Message; row: Row }) {
  const { author, at } = event;
  if (author.kind === "visitor")
    return (
      <p class="who">
        <b>{firstNameOf(row)}</b> {sayTime(at, language.value)}
      </p>
    );
  const own = author.id === me.value?.agent.id;
  return <p class={own ? "aloud" : "who"}>{own ? say().you : <b>{author.name}</b>}</p>;
}

type Note = Extract<WireEvent, { type: "note.posted" }>;

function NoteItem({ event }: { event: Note }) {
  const own = event.author.id === me.value?.agent.id;
  return (
    <article class="note">
      <p class="who">
        <Icon name="note" size="small" />
        {say().thread.note} · <bdi>{own ? say().you : event.author.name}</bdi>{" "}
        {sayTime(event.at, language.value)}
      </p>
      <Linked text={event.data.text} />
    </article>
  );
}

type Happened = Exclude<
  WireEvent,
  {
    type:
      | "internal"
      | "message.posted"
      | "note.posted"
      | "page.viewed"
      | "visitor.described"
      | "event.tracked";
  }
>;

const ICONS: Partial<Record<Happened["type"], IconName>> = {
  "conversation.started": "globe",
  "conversation.assigned": "person",
  "conversation.released": "undo",
  "conversation.closed": "check",
  "conversation.reopened": "reopen",
  "conversation.rated": "verified",
  "conversation.tagged": "tag",
  "conversation.untagged": "tag",
  "visitor.identified": "person",
};

function SystemLine({ event, row }: { event: Happened; row: Row }) {
  return (
    <p class="system">
      <Icon name={ICONS[event.type] ?? "inbox"} size="small" />
      <span>
        {tellOf(event, row)}
        <span class="at"> · {sayTime(event.at, language.value)}</span>
      </span>
    </p>
  );
}

function tellOf(event: Happened, row: Row): string {
  const { thread } = say();
  const by = actorOf(event, row);
  switch (event.type) {
    case "conversation.started":
      return thread.started(event.data.page?.title || placeOf(event.data.page?.url));
    case "conversation.assigned":
      return event.author.id && event.author.id !== event.data.agent.id
        ? thread.assigned_by(by, receiverName(event.data.agent))
        : thread.assigned(ownName(event.data.agent.id, event.data.agent.name));
    case "conversation.released":
      return thread.released(by);
    case "conversation.closed":
      return event.data.by === "system" ? thread.closed_by_system : thread.closed(by);
    case "conversation.reopened":
      return thread.reopened(by);
    case "conversation.rated":
      return tellRating(event.data);
    case "conversation.tagged":
      return thread.tagged(by, event.data.tag);
    case "conversation.untagged":
      return thread.untagged(by, event.data.tag);
    case "visitor.identified":
      return tellIdentity(event.data);
  }
}

function tellRating({ score, comment }: { score: number; comment?: string }): string {
  const { thread } = say();
  return [thread.rated(score), comment && thread.quoted(comment)].filter(Boolean).join(": ");
}

function tellIdentity({
  name,
  email,
  verified,
}: {
  name?: string;
  email?: string;
  verified?: boolean;
}) {
  const { thread } = say();
  const who = [name, email].filter(Boolean).join(", ") || thread.someone;
  return verified ? thread.identified(who) : thread.identified_unsure(who);
}

function actorOf({ author }: Happened, row: Row): string {
  const { thread } = say();
  if (author.kind === "visitor") return nameOf(row);
  if (author.kind === "agent") return ownName(author.id, author.name);
  return author.name ?? thread.system;
}

function receiverName({ id, name }: AgentName): string {
  return id === me.value?.agent.id ? say().to_you : name;
}

function ownName(id: string | undefined, name: string | undefined): string {
  return id === me.value?.agent.id ? say().you : (name ?? say().thread.someone);
}
