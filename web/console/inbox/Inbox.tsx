import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { Row } from "../../protocol/types";
import { Button, IconButton } from "../../ui/buttons";
import { Icon } from "../../ui/icons";
import { Strip } from "../../ui/marks";
import { Composer, ComposerHints } from "../compose/Composer";
import { longestWaiting, notice } from "../state/acts";
import { asProblem } from "../state/api";
import { findRow, loadRow, loads, sections, type View, waiting } from "../state/inbox";
import { opened, openHistory, tell } from "../state/link";
import { say } from "../state/me";
import { firstNameOf } from "../state/people";
import { commandKey } from "../state/platform";
import { inboxPath } from "../state/route";
import { openSheet } from "../state/sheets";
import { Thread } from "../thread/Thread";
import { VisitorCard } from "../visitor/VisitorCard";
import { ChatChips } from "./ChatChips";
import { ConversationHeader } from "./ConversationHeader";
import { Empty } from "./Empty";
import { List } from "./List";
import { LostStrip } from "./LostStrip";
import { countOf } from "./lines";

/** The visitor's card stands beside the conversation, or slides over it where there is no room. */
export const cardShown = signal(false);

export function Inbox({ view, conversation }: { view: View; conversation: string | null }) {
  useEffect(() => {
    opened.value = conversation;
    return () => {
      opened.value = null;
    };
  }, [conversation]);
  return (
    <main class={conversation ? "inbox talking" : "inbox"}>
      <section class="list" aria-label={say().inbox.title}>
        <ListHeader view={view} />
        {!conversation && <LostStrip />}
        <List view={view} current={conversation} />
        <Links view={view} />
      </section>
      <div id="conversation" class="conversation" tabIndex={-1}>
        {conversation ? <Opened key={conversation} id={conversation} /> : <Empty />}
      </div>
    </main>
  );
}

function ListHeader({ view }: { view: View }) {
  const { inbox, back, palette } = say();
  const title = view === "open" ? inbox.title : inbox.sections[view];
  return (
    <header class="list-header">
      {view !== "open" && (
        <a class="icon-button" href={inboxPath("open")} aria-label={back} title={back}>
          <Icon name="back" />
        </a>
      )}
      <h2 class="grow">{title}</h2>
      <IconButton
        icon="search"
        label={`${palette.title} (${commandKey} K)`}
        aria-haspopup="dialog"
        onClick={() => openSheet("palette")}
      />
    </header>
  );
}

function Links({ view }: { view: View }) {
  const { inbox } = say();
  const { team } = sections.value;
  const count = team.length > 0 && countOf(team.length, loads.team.value.state);
  if (view !== "open") return null;
  return (
    <nav class="links" aria-label={inbox.title}>
      <a class="to-team" href={inboxPath("team")}>
        <Icon name="people" />
        {inbox.team}
        {count && <span class="number">{count}</span>}
      </a>
      <a href={inboxPath("closed")}>
        <Icon name="archive" />
        {inbox.closed}
      </a>
    </nav>
  );
}

function Opened({ id }: { id: string }) {
  const row = findRow(id);
  const [missing, setMissing] = useState<"gone" | "failed" | null>(null);
  const known = row !== undefined;
  const load = () => {
    setMissing(null);
    loadRow(id).catch((fault) => setMissing(asProblem(fault).status === 404 ? "gone" : "failed"));
  };
  useEffect(() => {
    if (!known) load();
  }, [id, known]);
  if (row) return <Conversation row={row.value} />;
  if (missing) return <Missing gone={missing === "gone"} again={load} />;
  return <div class="loading" aria-busy="true" role="status" aria-label={say().loading} />;
}

function Missing({ gone, again }: { gone: boolean; again: () => void }) {
  return (
    <div class="empty" role="alert">
      <p>{gone ? say().thread.not_found : say().inbox.failed}</p>
      {!gone && <Button onClick={again}>{say().again}</Button>}
    </div>
  );
}

function Conversation({ row }: { row: Row }) {
  const [atEnd, setAtEnd] = useState(true);
  const [endWish, wishEnd] = useState(0);
  const history = openHistory(row.id, row.last_seq);
  useReading(row, atEnd);
  useEffect(() => history.reaches(row.last_seq), [row.last_seq]);
  const next = longestWaiting();
  const nextRow = next ? findRow(next)?.value : undefined;
  return (
    <>
      <ConversationHeader row={row} />
      <ChatChips current={row.id} />
      <LostStrip />
      <Notice id={row.id} />
      <div class="talk">
        <div class="middle">
          <Thread row={row} history={history} onEnd={setAtEnd} endWish={endWish} />
          <Composer row={row} atEnd={atEnd} showEnd={() => wishEnd((count) => count + 1)} />
          <ComposerHints
            id={row.id}
            next={nextRow ? firstNameOf(nextRow) : say().composer.next_one}
          />
        </div>
        <VisitorCard row={row} shown={cardShown.value} />
      </div>
    </>
  );
}

const NOTICE_MS = 8_000;

function Notice({ id }: { id: string }) {
  const now = notice.value;
  useEffect(() => {
    if (now?.tone !== "accent") return;
    const timer = setTimeout(() => {
      if (notice.peek() === now) notice.value = null;
    }, NOTICE_MS);
    return () => clearTimeout(timer);
  }, [now]);
  if (!now || (now.conversation && now.conversation !== id)) return null;
  return (
    <Strip
      tone={now.tone}
      icon={now.tone === "late" ? "alert" : "person"}
      role={now.tone === "late" ? "alert" : "status"}
    >
      <span class="grow">{now.text}</span>
      <IconButton
        icon="close"
        label={say().close}
        onClick={() => {
          notice.value = null;
        }}
      />
    </Strip>
  );
}

/** Read is what stood in sight of somebody who was looking. */
function useReading(row: Row, atEnd: boolean): void {
  const last = row.last_seq;
  useEffect(() => {
    const mark = () => {
      if (!atEnd || document.visibilityState === "hidden") return;
      tell({ type: "mark", conversation: row.id, delivered: last, read: last });
    };
    mark();
    document.addEventListener("visibilitychange", mark);
    addEventListener("focus", mark);
    return () => {
      document.removeEventListener("visibilitychange", mark);
      removeEventListener("focus", mark);
    };
  }, [row.id, last, atEnd]);
}

export function waitingCount(): number {
  return waiting.value.mine.length + waiting.value.queue.length;
}
