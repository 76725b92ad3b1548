// One earlier conversation in a list.

import type { ConversationView } from "../../protocol/types";
import { say, site } from "../boot";
import { firstName, rated, shortTime } from "../format";
import { withRest } from "../state";
import { Clock } from "./Clock";

export function Earlier({ view }: { view: ConversationView }) {
  const { agent, last_message: last, unread: count, started_at } = view;
  return (
    <li>
      <button
        type="button"
        class={count ? "row earlier is-unread" : "row earlier"}
        onClick={() => withRest(({ show }) => show("talk", view.id))}
      >
        <Clock state={view.waiting_since ? "run" : "kept"} person={agent} />
        <span class="earlier-text">
          <span class="earlier-top">
            <b>{agent ? firstName(agent.name) : site.name}</b>
            <time>{shortTime(last?.at ?? started_at, Date.now())}</time>
          </span>
          <span class="earlier-last">{last?.text}</span>
          <span class={view.status === "open" ? "state is-open" : "state"}>{stateOf(view)}</span>
        </span>
        <Count of={count} />
      </button>
    </li>
  );
}

function stateOf({ status, waiting_since, rating }: ConversationView): string {
  if (status === "open") return say(waiting_since ? "waits" : "open");
  return rating ? `${say("ended")}. ${rated(rating)}` : say("ended");
}

export function Count({ of }: { of: number }) {
  if (of < 1) return null;
  return (
    <span class="count">
      <span aria-hidden="true">{of}</span>
      <span class="vh">{say("unread", { n: of })}</span>
    </span>
  );
}
