import "../styles/palette.css";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Row } from "../../protocol/types";
import { Icon } from "../../ui/icons";
import { Key } from "../../ui/marks";
import { VisitorFace, VisitorSeconds } from "../inbox/VisitorFace";
import { openConversation } from "../state/acts";
import { asProblem, call, type Page } from "../state/api";
import { allRows, mergeRows } from "../state/inbox";
import { say } from "../state/me";
import { nameOf } from "../state/people";
import { closeSheet } from "../state/sheets";
import { siteName } from "../state/sites";
import { type Command, commandsAnywhere, commandsHere } from "./commands";
import { plain, search } from "./find";

const CONVERSATIONS = 8;
/** What is typed faster is asked once. */
const ASK_AFTER = 200;

interface Choice {
  key: string;
  act: () => unknown;
  command?: Command;
  row?: Row;
}

interface Group {
  title: string;
  choices: Choice[];
}

/** Everything, found by typing: what to do here, whom to go to, where to go. */
export function Palette() {
  const box = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const list = useId();
  useLayoutEffect(() => {
    const from = document.activeElement;
    box.current?.showModal();
    return () => from instanceof HTMLElement && from.isConnected && from.focus();
  }, []);
  const groups = useGroups(typed);
  const choices = groups.flatMap((group) => group.choices);
  const here = Math.min(at, choices.length - 1);
  useEffect(() => {
    box.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [here, typed]);

  function choose(choice: Choice | undefined) {
    if (!choice) return;
    closeSheet("palette");
    // When the focus is back where it came from: what is chosen may want it.
    setTimeout(choice.act);
  }

  function pressed(event: KeyboardEvent) {
    const last = choices.length - 1;
    const next = {
      ArrowDown: here < last ? here + 1 : 0,
      ArrowUp: here > 0 ? here - 1 : last,
      PageDown: Math.min(here + 5, last),
      PageUp: Math.max(here - 5, 0),
    }[event.key];
    if (event.key === "Enter" && !event.isComposing) choose(choices[here]);
    else if (next !== undefined) setAt(next);
    else return;
    event.preventDefault();
  }

  const { palette } = say();
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a press beside it closes it, as Escape does already
    <dialog
      ref={box}
      class="dialog palette"
      aria-label={palette.title}
      onClose={() => closeSheet("palette")}
      onClick={(event) => event.target === box.current && box.current?.close()}
    >
      <label class="find">
        <Icon name="search" />
        <input
          role="combobox"
          aria-label={palette.title}
          aria-expanded="true"
          aria-controls={list}
          aria-autocomplete="list"
          aria-activedescendant={choices[here] && `${list}-${here}`}
          placeholder={palette.placeholder}
          autocomplete="off"
          spellcheck={false}
          maxLength={80}
          value={typed}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={pressed}
        />
      </label>
      <div class="found" id={list} role="listbox" aria-label={palette.title}>
        {groups.map((group) => (
          <GroupView
            key={group.title}
            group={group}
            list={list}
            first={choices.indexOf(group.choices[0] as Choice)}
            here={here}
            onPoint={setAt}
            onChoose={choose}
          />
        ))}
      </div>
      <p class={choices.length ? "aloud" : "none"} role="status">
        {choices.length ? palette.found(choices.length) : palette.nothing}
      </p>
    </dialog>
  );
}

function useGroups(typed: string): Group[] {
  const { palette, inbox } = say();
  useAsked(typed);
  const of = (commands: Command[]) =>
    search(commands, typed, ({ label }) => label).map(
      (command): Choice => ({ key: command.key, act: command.act, command }),
    );
  const rows = search(allRows(), typed, describe).slice(0, CONVERSATIONS);
  const people = rows.map(
    (row): Choice => ({ key: row.id, act: () => openConversation(row.id), row }),
  );
  const groups = [
    { title: palette.here, choices: of(commandsHere()) },
    { title: inbox.title, choices: people },
    { title: palette.anywhere, choices: of(commandsAnywhere()) },
  ];
  return groups.filter(({ choices }) => choices.length);
}

function describe(row: Row): string {
  return [nameOf(row), row.visitor.email, siteName(row.site, true), ...(row.tags ?? [])].join(" ");
}

/** Conversations that this page has not heard of are asked for; what the server finds joins the others. */
function useAsked(typed: string): void {
  const wanted = plain(typed).trim();
  useEffect(() => {
    if (wanted.length < 2) return;
    const timer = setTimeout(() => {
      const query = new URLSearchParams({ view: "all", text: typed.trim(), limit: "20" });
      call<Page<Row>>("GET", `/conversations?${query}`).then(
        (page) => mergeRows(page.data),
        asProblem,
      );
    }, ASK_AFTER);
    return () => clearTimeout(timer);
  }, [wanted]);
}

interface GroupViewProps {
  group: Group;
  list: string;
  /** The place of its first choice among all. */
  first: number;
  here: number;
  onPoint: (at: number) => void;
  onChoose: (choice: Choice) => void;
}

function GroupView({ group, list, first, here, onPoint, onChoose }: GroupViewProps) {
  const title = useId();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a listbox
    <div role="group" aria-labelledby={title}>
      <p id={title} class="heading">
        {group.title}
      </p>
      {group.choices.map((choice, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents lint/a11y/useFocusableInteractive: the field above holds the focus and has the keys
        <div
          key={choice.key}
          id={`${list}-${first + index}`}
          role="option"
          aria-selected={here === first + index}
          class="item"
          onPointerMove={() => onPoint(first + index)}
          onClick={() => onChoose(choice)}
        >
          {choice.command ? <CommandLine command={choice.command} /> : null}
          {choice.row ? <RowLine row={choice.row} /> : null}
        </div>
      ))}
    </div>
  );
}

function CommandLine({ command }: { command: Command }) {
  return (
    <>
      <Icon name={command.icon} />
      <span class="grow cut">{command.label}</span>
      {command.keys?.length ? (
        <span class="keys" aria-hidden="true">
          {command.keys.map((key) => (
            <Key key={key}>{key}</Key>
          ))}
        </span>
      ) : null}
    </>
  );
}

function RowLine({ row }: { row: Row }) {
  const { palette } = say();
  const state = row.status === "closed" ? palette.closed : row.agent?.name;
  return (
    <>
      <VisitorFace row={row} size={24} />
      <span class="grow cut">
        <bdi>{nameOf(row)}</bdi>{" "}
        <span class="quiet">
          {[siteName(row.site), state, row.last_message?.text].filter(Boolean).join(" · ")}
        </span>
      </span>
      <VisitorSeconds row={row} />
    </>
  );
}
