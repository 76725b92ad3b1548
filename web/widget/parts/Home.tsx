// Where it begins: who is there, what one talked about before, and a place to type at once.

import { own, say, site } from "../boot";
import { firstName } from "../format";
import { conversations, desk, turnAway, unread } from "../state";
import { Banner } from "./Banner";
import { CloseButton } from "./Buttons";
import { Clock, Face, initials } from "./Clock";
import { Composer } from "./Composer";
import { Count, Earlier } from "./Earlier";
import { Icon } from "./Icon";

export function Home() {
  const latest = conversations.value[0];
  return (
    <main class="screen">
      <header class="head">
        <div class="house">
          <span class="house-mark" aria-hidden="true">
            {initials(site.name)}
          </span>
          {site.name}
        </div>
        <CloseButton />
      </header>
      <Banner />
      <div class="body">
        <h1 class="display" tabIndex={-1}>
          {own.greeting || say("greeting")}
        </h1>
        {latest && (
          <ul class="rows">
            <Earlier view={latest} />
            {conversations.value.length > 1 && (
              <li>
                <button type="button" class="row" onClick={() => turnAway("talks")}>
                  <Icon name="history" />
                  {say("earlier")}
                  <Count of={unread.value - latest.unread} />
                  <Icon name="next" small />
                </button>
              </li>
            )}
          </ul>
        )}
      </div>
      <footer class="desk">
        <Who />
        <Composer first />
      </footer>
    </main>
  );
}

function Who() {
  const { state, agents = [] } = desk.value;
  const [first, ...others] = agents;
  const here = state === "here";
  const name = firstName(first?.name);
  const title = !here
    ? say("away")
    : others.length
      ? say(others.length > 1 ? "hereMore" : "hereTwo", { name, n: others.length })
      : say("here", { name });
  const line = here ? say("hereLine") : own.away || say("awayLine");
  return (
    <div class="who" role="status">
      <span class="pile">
        <Clock size="m" state={here ? "kept" : "away"} person={first} />
        {others.map((agent) => (
          <Face key={agent.id} person={agent} />
        ))}
      </span>
      <div class="who-text">
        <p class="who-name">{title}</p>
        <p class="who-line">{line}</p>
      </div>
    </div>
  );
}
