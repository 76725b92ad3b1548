// A conversation: what was said above, the desk below.

import { computed } from "@preact/signals";
import { For } from "@preact/signals/utils";
import { useEffect, useRef } from "preact/hooks";
import { own, say } from "../boot";
import { stayAtEnd } from "../ending";
import { uploads } from "../files";
import { firstName } from "../format";
import { asks, hasOlder, loadOlder, paper } from "../live";
import type { Row } from "../rows";
import { atEnd, current, pending, standing, typer } from "../state";
import { Banner } from "./Banner";
import { Composer } from "./Composer";
import { ContactForm, RatingForm, wantsRating } from "./Forms";
import { TalkHead } from "./Head";
import { Message } from "./Message";
import { Pending } from "./Pending";

const rows = computed(() => paper.value.rows);

export function Talk() {
  return (
    <main class="screen">
      <TalkHead />
      <Banner />
      <Paper />
      <footer class="desk">
        <Rating />
        <Composer />
      </footer>
    </main>
  );
}

function Rating() {
  const id = current.value;
  return id && wantsRating(id) ? <RatingForm key={id} conversation={id} /> : null;
}

function Paper() {
  const place = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => stayAtEnd(place.current as HTMLElement, body.current as HTMLElement), []);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="body" ref={place} tabIndex={0} aria-label={say("log")}>
      <div class="talk" ref={body}>
        {isBlank() && <h1 class="display">{own.greeting || say("greeting")}</h1>}
        {hasOlder.value && <Older place={place} />}
        <div class="log" role="log" aria-label={say("log")}>
          <For each={rows}>{drawRow}</For>
        </div>
        <Pending />
        <TypingBubble />
        {asks.value && <ContactForm />}
        {standing.value === "closed" && <p class="line">{say("reopens")}</p>}
      </div>
    </section>
  );
}

/** A new conversation, in which nothing has been said yet. */
const isBlank = () =>
  !current.value && pending.value.length + uploads.value.length + rows.value.length === 0;

function drawRow(row: Row) {
  if (row.kind === "message") return <Message key={row.key} row={row} />;
  return (
    <p key={row.key} class={row.kind} role={row.kind === "new" ? "separator" : undefined}>
      {row.text}
    </p>
  );
}

function Older({ place }: { place: { current: HTMLElement | null } }) {
  const more = async () => {
    const box = place.current as HTMLElement;
    const below = box.scrollHeight - box.scrollTop;
    atEnd.value = false;
    await loadOlder().catch(() => {});
    requestAnimationFrame(() => {
      box.scrollTop = box.scrollHeight - below;
    });
  };
  return (
    <button type="button" class="text-button older" onClick={more}>
      {say("older")}
    </button>
  );
}

function TypingBubble() {
  const by = typer.value;
  return (
    <div class="turn is-first is-last typing-place">
      <span class="vh" role="status">
        {by && say("typing", { name: firstName(by.name) || say("program") })}
      </span>
      {by && (
        <div class="bubble typing" aria-hidden="true">
          <i />
          <i />
          <i />
        </div>
      )}
    </div>
  );
}
