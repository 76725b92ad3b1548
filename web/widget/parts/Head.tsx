// The head of a conversation: who answers, how that stands, and the rarer choices.

import { useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { ConversationView } from "../../protocol/types";
import { say, site } from "../boot";
import { saveTranscript } from "../files";
import { waited } from "../format";
import { finish, show, toggleSound } from "../live";
import {
  agent,
  asking,
  current,
  cut,
  desk,
  since,
  sound,
  standing,
  talk,
  turnAway,
  unheard,
} from "../state";
import { CloseButton, IconButton } from "./Buttons";
import { Clock, type ClockState } from "./Clock";

export function TalkHead() {
  const now = useSignal(Date.now());
  useSignalEffect(() => {
    if (!since.value) return;
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 1_000);
    return () => clearInterval(timer);
  });
  const { person, line, state, waiting } = outlook(now.value);
  return (
    <header class="head has-back">
      <IconButton icon="back" label={say("back")} onClick={() => turnAway("home")} />
      <div class="who">
        <Clock state={state} waiting={waiting} person={person} />
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
  /** For how long, ms. */
  waiting?: number;
}

/** Who answers here, and what may honestly be said about it. */
function outlook(now: number): Standing {
  const { state, agents = [] } = desk.value;
  const here = state === "here";
  const own = agent.value;
  const person = own ?? (here ? agents[0] : undefined);
  // More agents may be there than the three who are named.
  const present = here && (!own || agents.length > 2 || agents.some(({ id }) => id === own.id));
  if (cut.value) return { person, line: say(unheard(cut.value)), state: "away" };
  if (standing.value === "closed")
    return { person, line: say("done"), state: present ? "kept" : "away" };
  if (since.value && present) {
    const waiting = now - since.value;
    return { person, line: say("since", { time: waited(waiting) }), state: "run", waiting };
  }
  return {
    person,
    line: say(present ? "present" : own ? "absent" : "nobody"),
    state: present ? "kept" : "away",
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
          {talk.value && (
            <Choice
              text={say("transcript")}
              act={choose(
                () => void saveTranscript(talk.value as ConversationView).catch(() => {}),
              )}
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
