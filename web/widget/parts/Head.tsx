// The head of a conversation: who answers, how that stands, and the rarer choices.

import { useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { say, site } from "../boot";
import { saveTranscript } from "../files";
import { waited } from "../format";
import { finish, show, toggleSound } from "../live";
import {
  agent,
  asking,
  current,
  desk,
  online,
  since,
  sound,
  standing,
  status,
  turnAway,
} from "../state";
import { CloseButton, IconButton } from "./Buttons";
import { Clock, type ClockState } from "./Clock";

const MINUTE = 60_000;

export function TalkHead() {
  const now = useSignal(Date.now());
  useSignalEffect(() => {
    if (!since.value) return;
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 1_000);
    return () => clearInterval(timer);
  });
  const { person, line, state, turn } = outlook(now.value);
  return (
    <header class="head has-back">
      <IconButton icon="back" label={say("back")} onClick={() => turnAway("home")} />
      <div class="who">
        <Clock state={state} turn={turn} person={person} />
        <div class="who-text">
          <h2 class="who-name">{person?.name ?? site.name}</h2>
          <p class="who-line">{line}</p>
        </div>
      </div>
      <Menu />
      <CloseButton />
    </header>
  );
}

interface Standing {
  person: { id: string; name: string; picture?: string } | undefined;
  line: string;
  state: ClockState;
  turn: number;
}

/** Who answers here, and what may honestly be said about it. */
function outlook(now: number): Standing {
  const { state, agents = [] } = desk.value;
  const here = state === "here";
  const own = agent.value;
  const person = own ?? (here ? agents[0] : undefined);
  // More agents may be there than the three who are named.
  const present = here && (!own || agents.length > 2 || agents.some(({ id }) => id === own.id));
  if (status.value !== "live" && !online.value)
    return { person, line: say("unsent"), state: "off", turn: 0 };
  if (standing.value === "closed")
    return { person, line: say("done"), state: present ? "kept" : "away", turn: 1 };
  if (since.value && present) {
    const turn = Math.min(1, Math.max(0.02, (now - since.value) / MINUTE));
    return { person, line: say("since", { time: waited(now - since.value) }), state: "run", turn };
  }
  return {
    person,
    line: say(present ? "present" : own ? "absent" : "nobody"),
    state: present ? "kept" : "away",
    turn: 1,
  };
}

function Menu() {
  const isOpen = useSignal(false);
  const place = useRef<HTMLDivElement>(null);
  const conversation = current.value;
  const choose = (act: () => void) => () => {
    isOpen.value = false;
    place.current?.querySelector("button")?.focus();
    act();
  };
  const shut = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isOpen.value) return;
    event.stopPropagation();
    choose(() => {})();
  };
  const left = ({ relatedTarget }: FocusEvent) => {
    if (!place.current?.contains(relatedTarget as Node)) isOpen.value = false;
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape inside closes the menu; its buttons are the controls.
    <div class="menu-place" ref={place} onKeyDown={shut} onFocusOut={left}>
      <IconButton
        icon="more"
        label={say("more")}
        expanded={isOpen.value}
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      />
      {isOpen.value && (
        <ul class="menu">
          <Choice
            text={say("contact")}
            act={choose(() => {
              asking.value = "always";
            })}
          />
          {conversation && (
            <Choice
              text={say("transcript")}
              act={choose(() => void saveTranscript(conversation).catch(() => {}))}
            />
          )}
          <Choice text={say(sound.value ? "soundOff" : "soundOn")} act={choose(toggleSound)} />
          {conversation && standing.value === "open" && (
            <Choice
              text={say("end")}
              act={choose(() => void finish(conversation).catch(() => {}))}
            />
          )}
          <Choice text={say("new")} act={choose(() => show("talk", null))} />
        </ul>
      )}
    </div>
  );
}

const Choice = ({ text, act }: { text: string; act(): void }) => (
  <li>
    <button type="button" onClick={act}>
      {text}
    </button>
  </li>
);
