// Everything that can be done from where one is, as a list.

import type { Row } from "../../protocol/types";
import type { IconName } from "../../ui/icons";
import { cardShown } from "../inbox/Inbox";
import {
  closeConversation,
  openLongestWaiting,
  putBack,
  reopen,
  take,
  takeFirst,
} from "../state/acts";
import { asProblem } from "../state/api";
import { changeDraft } from "../state/drafts";
import { findRow, waiting } from "../state/inbox";
import { availability, setAvailability } from "../state/link";
import {
  changeSettings,
  chooseTheme,
  isAdministrator,
  me,
  say,
  settings,
  signOut,
  theme,
} from "../state/me";
import { lastHeld, release, takeBack } from "../state/outbox";
import { go, inboxPath, route, settingsPath } from "../state/route";
import { keySheet, openSheet } from "../state/sheets";
import { askToErase, exportPerson } from "../visitor/person";

export interface Command {
  key: string;
  icon: IconName;
  label: string;
  keys?: string[];
  act: () => unknown;
}

/** With the conversation that is open. */
export function commandsHere(): Command[] {
  const here = route.value;
  const id = here.at === "inbox" ? here.conversation : null;
  const row = id ? findRow(id)?.value : undefined;
  return row ? [...commandsOf(row), ...undoing()] : undoing();
}

function commandsOf(row: Row): Command[] {
  const { header, keys, card } = say();
  const isOpen = row.status === "open";
  const ours = row.agent?.id === me.value?.agent.id;
  const list: (Command | false)[] = [
    isOpen &&
      !ours && {
        key: "take",
        icon: "inbox",
        label: row.agent ? header.take_over : header.take,
        keys: row.agent ? [] : ["T"],
        act: () => take(row.id),
      },
    { key: "reply", icon: "send", label: keys.reply, keys: ["R"], act: () => write(row, "answer") },
    { key: "note", icon: "note", label: keys.note, keys: ["M"], act: () => write(row, "note") },
    isOpen && {
      key: "hand",
      icon: "hand",
      label: header.hand_over,
      keys: ["O"],
      act: () => openSheet("hand"),
    },
    isOpen &&
      ours && { key: "release", icon: "undo", label: header.release, act: () => putBack(row.id) },
    {
      key: "labels",
      icon: "tag",
      label: header.labels,
      keys: ["L"],
      act: () => openSheet("labels"),
    },
    { key: "visitor", icon: "panel", label: header.visitor, keys: ["V"], act: toggleCard },
    isOpen
      ? {
          key: "close",
          icon: "check",
          label: header.close,
          keys: ours ? ["E"] : [],
          act: () => closeConversation(row.id),
        }
      : { key: "reopen", icon: "reopen", label: header.reopen, act: () => reopen(row.id) },
    isAdministrator.value && {
      key: "export",
      icon: "download",
      label: card.whole.export,
      act: () => exportPerson(row).catch(asProblem),
    },
    isAdministrator.value && {
      key: "erase",
      icon: "bin",
      label: card.whole.erase,
      act: () => askToErase(row),
    },
  ];
  return list.filter((one) => one !== false);
}

function write(row: Row, mode: "answer" | "note"): void {
  changeDraft(row.id, { mode });
  document.getElementById("composer")?.focus();
}

function toggleCard(): void {
  cardShown.value = !cardShown.value;
}

function undoing(): Command[] {
  const item = lastHeld.value;
  if (!item) return [];
  return [
    {
      key: "undo",
      icon: "undo",
      label: say().keys.undo,
      keys: ["Z"],
      act: () => takeBack(item.client_message_id),
    },
  ];
}

/** Places, and what concerns oneself. */
export function commandsAnywhere(): Command[] {
  const { inbox, keys, presence, palette } = say();
  const { mine, queue } = waiting.value;
  const list: (Command | false)[] = [
    mine.length + queue.length > 0 && {
      key: "next",
      icon: "clock",
      label: keys.next,
      keys: ["N"],
      act: openLongestWaiting,
    },
    queue.length > 0 && {
      key: "first",
      icon: "inbox",
      label: palette.take_first,
      keys: ["T"],
      act: takeFirst,
    },
    {
      key: "inbox",
      icon: "inbox",
      label: keys.inbox,
      keys: ["G", "I"],
      act: () => go(inboxPath("open")),
    },
    { key: "team", icon: "people", label: inbox.team, act: () => go(inboxPath("team")) },
    { key: "closed", icon: "archive", label: inbox.closed, act: () => go(inboxPath("closed")) },
    ...places(),
    { key: "keys", icon: "keyboard", label: keys.title, keys: ["?"], act: () => keySheet(true) },
    ...ofOneself(),
    {
      key: "leave",
      icon: "leave",
      label: presence.sign_out,
      act: () => {
        release();
        signOut();
      },
    },
  ];
  return list.filter((one) => one !== false);
}

function places(): Command[] {
  const { places: names } = say().palette;
  const icons = {
    people: "people",
    sites: "palette",
    organisation: "organisation",
    profile: "profile",
  } as const;
  const pages = isAdministrator.value
    ? (["people", "sites", "organisation", "profile"] as const)
    : (["profile"] as const);
  return pages.map((page, index) => ({
    key: `settings ${page}`,
    icon: icons[page],
    label: names[page],
    // These keys lead to the first of them.
    ...(index === 0 && { keys: ["G", "S"] }),
    act: () => go(settingsPath(page)),
  }));
}

function ofOneself(): Command[] {
  const { presence, palette } = say();
  const other = availability.value === "away" ? "available" : "away";
  const { sound } = settings.value;
  const themes = (["system", "light", "dark"] as const).filter((one) => one !== theme.value);
  return [
    {
      key: "presence",
      icon: "person",
      label: palette.become(presence[other]),
      act: () => setAvailability(other),
    },
    {
      key: "sound",
      icon: "bell",
      label: sound ? palette.sound_off : palette.sound_on,
      act: () => changeSettings({ sound: !sound }),
    },
    ...themes.map(
      (value): Command => ({
        key: `theme ${value}`,
        icon: ({ system: "desktop", light: "sun", dark: "moon" } as const)[value],
        label: `${presence.theme}: ${presence.themes[value]}`,
        act: () => chooseTheme(value),
      }),
    ),
  ];
}
