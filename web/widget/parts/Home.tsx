// Where it begins: who is there, what one talked about before, and a place to type at once.

import { initialsOf } from "../../ui/person";
import { boot, own, say, site } from "../boot";
import { firstName, size } from "../format";
import { conversations, cut, desk, turnAway, unheard } from "../state";
import { Banner } from "./Banner";
import { CloseButton } from "./Buttons";
import { Clock, Face } from "./Clock";
import { Composer } from "./Composer";
import { Count, Earlier } from "./Earlier";
import { Icon, type IconName } from "./Icon";

/** How many earlier conversations stand here; the others have a screen of their own. */
const LATEST = 3;

export function Home() {
  const known = conversations.value;
  return (
    <main class="screen">
      <header class="head">
        <div class="house">
          <span class="house-mark" aria-hidden="true">
            {initialsOf(site.name)}
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
        <ul class="rows">
          {known.slice(0, LATEST).map((view) => (
            <Earlier key={view.id} view={view} />
          ))}
          {known.length > LATEST && <All />}
          {known.length < 2 && <Facts />}
        </ul>
      </div>
      <footer class="desk">
        <Who />
        <Composer first />
      </footer>
    </main>
  );
}

function All() {
  const further = conversations.value.slice(LATEST);
  return (
    <li>
      <button type="button" class="row" onClick={() => turnAway("talks")}>
        <Icon name="history" />
        {say("earlier")}
        <Count of={further.reduce((sum, { unread }) => sum + unread, 0)} />
        <Icon name="next" small />
      </button>
    </li>
  );
}

/** For who was never here, or once: what may be counted on, whoever answers. */
function Facts() {
  return (
    <>
      <Fact icon="clock" title={say("later")} line={say("laterLine")} />
      <Fact icon="person" title={say("nameless")} line={say("namelessLine")} />
      <Fact
        icon="clip"
        title={say("photos")}
        line={say("photosLine", { max: size(boot.max_file_bytes) })}
      />
    </>
  );
}

const Fact = ({ icon, title, line }: { icon: IconName; title: string; line: string }) => (
  <li class="fact">
    <Icon name={icon} />
    <p>
      <b>{title}</b>
      <span class="hint">{line}</span>
    </p>
  </li>
);

function Who() {
  const { state, agents = [] } = desk.value;
  const [first, second, third] = agents;
  const why = cut.value;
  const here = !why && state === "here";
  const gaps = { name: firstName(first?.name), other: firstName(second?.name) };
  const present = third ? "hereMore" : second ? "hereTwo" : "here";
  return (
    <div class="who" role="status">
      <span class="pile">
        <Clock size="m" state={here ? "kept" : "away"} person={first} />
        {here && agents.slice(1).map((agent) => <Face key={agent.id} person={agent} />)}
      </span>
      <div class="who-text">
        <p class="who-name">{say(why ? unheard(why) : here ? present : "away", gaps)}</p>
        {!why && <p class="who-line">{here ? say("hereLine") : own.away || say("awayLine")}</p>}
      </div>
    </div>
  );
}
