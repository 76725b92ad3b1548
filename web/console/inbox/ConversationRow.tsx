import type { Signal } from "@preact/signals";
import type { Row } from "../../protocol/types";
import { Icon } from "../../ui/icons";
import { Count } from "../../ui/marks";
import { draftOf } from "../state/drafts";
import type { View } from "../state/inbox";
import { typers } from "../state/link";
import { me, say } from "../state/me";
import { nameOf, placeOf } from "../state/people";
import { conversationPath } from "../state/route";
import { siteName } from "../state/sites";
import { VisitorFace, VisitorSeconds } from "./VisitorFace";

interface ConversationRowProps {
  row: Signal<Row>;
  top: number;
  current: boolean;
  view: View;
}

/** Three lines: who and how long, the last words, where on the site. */
export function ConversationRow({ row: signal, top, current, view }: ConversationRowProps) {
  const row = signal.value;
  const { inbox } = say();
  return (
    <a
      class={row.unread ? "row unread" : "row"}
      style={{ top: `${top}px` }}
      href={conversationPath(row.id, view)}
      data-id={row.id}
      aria-current={current ? "true" : undefined}
    >
      <VisitorFace row={row} />
      <span class="lines">
        <span class="name">
          <span class="cut">{nameOf(row)}</span>
          {row.visitor.verified && <Verified />}
        </span>
        <span class="words cut">
          <LastWords row={row} />
        </span>
        <span class="place cut">
          <Place row={row} />
        </span>
      </span>
      <span class="end">
        <VisitorSeconds row={row} always />
        <Count value={row.unread} label={inbox.unread(row.unread)} />
      </span>
    </a>
  );
}

function Verified() {
  return (
    <span class="verified">
      <Icon name="verified" size="small" />
      <span class="aloud">{say().inbox.verified}</span>
    </span>
  );
}

function LastWords({ row }: { row: Row }) {
  const { inbox } = say();
  const { text, note, files } = draftOf(row.id).value;
  if (text || note || files.length)
    return (
      <>
        <span class="draft">{inbox.draft}</span> {text || note}
      </>
    );
  const last = row.last_message;
  if (!last) return <>{inbox.no_message}</>;
  const ours = last.author_kind === "agent" && row.agent?.id === me.value?.agent.id;
  return (
    <>
      {ours && `${inbox.yours} `}
      {last.text}
    </>
  );
}

/** A visitor who types is told here: that is what one looks for. */
function Place({ row }: { row: Row }) {
  const typing = typers.value[row.id]?.some((typer) => typer.kind === "visitor");
  const where = typing ? say().inbox.typing : placeOf(row.page?.url);
  const language = row.language?.slice(0, 2).toUpperCase();
  const foreign = language && language !== document.documentElement.lang.toUpperCase() && language;
  const holder = row.agent && row.agent.id !== me.value?.agent.id && row.agent.name;
  return <>{[siteName(row.site, true), where, holder, foreign].filter(Boolean).join(" · ")}</>;
}
