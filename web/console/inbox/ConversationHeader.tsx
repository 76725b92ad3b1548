import { useRef } from "preact/hooks";
import type { Row } from "../../protocol/types";
import { Button, IconButton } from "../../ui/buttons";
import { Icon } from "../../ui/icons";
import { KeyHint, Tag } from "../../ui/marks";
import { closeConversation, longestWaiting, openConversation, reopen, take } from "../state/acts";
import { findRow } from "../state/inbox";
import { me, say, settings } from "../state/me";
import { firstNameOf, nameOf, placeOf } from "../state/people";
import { inboxPath, route } from "../state/route";
import { openSheet, sheet } from "../state/sheets";
import { siteName } from "../state/sites";
import { HandMenu } from "./HandMenu";
import { cardShown } from "./Inbox";
import { LabelMenu } from "./LabelMenu";
import { MoreMenu } from "./MoreMenu";
import { VisitorFace, VisitorSeconds } from "./VisitorFace";

export function ConversationHeader({ row }: { row: Row }) {
  const view = route.value.at === "inbox" ? route.value.view : "open";
  const { header, back } = say();
  return (
    <header class="conversation-header">
      <a class="icon-button only-phone" href={inboxPath(view)} aria-label={back}>
        <Icon name="back" size="large" />
      </a>
      <VisitorFace row={row} size={32} />
      <div class="who grow">
        <h2 class="cut">{nameOf(row)}</h2>
        <VisitorSeconds row={row} />
        <p class="cut">
          <Where row={row} />
        </p>
      </div>
      <Next row={row} />
      <Acts row={row} />
      <IconButton
        class="card-toggle"
        icon="panel"
        label={header.visitor}
        aria-expanded={cardShown.value}
        aria-controls="visitor-card"
        onClick={() => {
          cardShown.value = !cardShown.value;
        }}
      />
      <MainAct row={row} />
    </header>
  );
}

function Where({ row }: { row: Row }) {
  const { header } = say();
  const holder = row.agent ? (isOurs(row) ? "" : header.of(row.agent.name)) : header.in_queue;
  const state = row.status === "closed" ? header.is_closed : holder;
  const place = row.page?.title || placeOf(row.page?.url);
  return <>{[state, siteName(row.site), place].filter(Boolean).join(" · ")}</>;
}

function isOurs(row: Row): boolean {
  return row.agent?.id === me.value?.agent.id;
}

/** Who waits longest elsewhere is never out of sight. */
function Next({ row }: { row: Row }) {
  const id = longestWaiting();
  const next = id === row.id ? undefined : id && findRow(id)?.value;
  if (!next) return null;
  return (
    <button
      type="button"
      class="next"
      title={say().header.next(nameOf(next))}
      onClick={() => openConversation(next.id)}
    >
      <VisitorFace row={next} size={20} />
      <span class="aloud">{say().header.next(nameOf(next))}</span>
      <span class="cut" aria-hidden="true">
        {firstNameOf(next)}
      </span>
      {settings.value.single_keys && <KeyHint>N</KeyHint>}
    </button>
  );
}

function Acts({ row }: { row: Row }) {
  const { header } = say();
  const labels = useRef<HTMLSpanElement>(null);
  const hand = useRef<HTMLSpanElement>(null);
  const more = useRef<HTMLSpanElement>(null);
  return (
    <>
      {(row.tags?.length ?? 0) > 0 && (
        <span class="tags">
          {row.tags?.slice(0, 2).map((tag) => (
            <Tag key={tag}>{tag}</Tag>
          ))}
        </span>
      )}
      <span ref={labels} class="act">
        <Opener icon="tag" label={header.labels} name="labels" />
      </span>
      <span ref={hand} class="act">
        {row.status === "open" && <Opener icon="hand" label={header.hand_over} name="hand" />}
      </span>
      <span ref={more} class="act-more">
        <Opener icon="dots" label={header.more} name="more" />
      </span>
      {sheet.value === "labels" && <LabelMenu row={row} anchor={() => visible(labels, more)} />}
      {sheet.value === "hand" && <HandMenu row={row} anchor={() => visible(hand, more)} />}
      {sheet.value === "more" && <MoreMenu row={row} anchor={() => visible(more)} />}
    </>
  );
}

interface OpenerProps {
  icon: "tag" | "hand" | "dots";
  label: string;
  name: "labels" | "hand" | "more";
}

function Opener({ icon, label, name }: OpenerProps) {
  return (
    <IconButton
      icon={icon}
      label={label}
      aria-haspopup="menu"
      aria-expanded={sheet.value === name}
      onClick={() => openSheet(name)}
    />
  );
}

type Holder = { current: HTMLElement | null };

/** Narrow screens hide some buttons: a menu stands by the one that is there. */
function visible(...holders: Holder[]): HTMLElement | null {
  const found = holders.find((holder) => holder.current?.offsetParent);
  return found?.current?.querySelector("button") ?? found?.current ?? null;
}

/** One thing to do next. */
function MainAct({ row }: { row: Row }) {
  const { header } = say();
  if (row.status === "closed")
    return (
      <Button class="main-act" onClick={() => reopen(row.id)}>
        <Icon name="reopen" />
        <span>{header.reopen}</span>
      </Button>
    );
  if (!isOurs(row))
    return (
      <Button
        class="main-act"
        kind={row.agent ? undefined : "primary"}
        onClick={() => take(row.id)}
      >
        <span>{row.agent ? header.take_over : header.take}</span>
        {!row.agent && settings.value.single_keys && <KeyHint>T</KeyHint>}
      </Button>
    );
  return (
    <Button class="main-act" onClick={() => closeConversation(row.id)}>
      <Icon name="check" />
      <span>{header.close}</span>
    </Button>
  );
}
