import { useState } from "preact/hooks";
import { Segmented } from "../../ui/buttons";
import { Face } from "../../ui/Face";
import { Icon } from "../../ui/icons";
import { initialsOf } from "../../ui/person";
import { me } from "../state/me";
import { accentStyle } from "./Appearance";
import { launcherSays, panelSays } from "./panelWords";
import type { Site, Tongue } from "./sites";
import { tell } from "./tell";

type State = "open" | "closed" | "away";
type Width = "wide" | "narrow";
type Scheme = "light" | "dark";

/** What the panel's first screen tells a newcomer. */
const FACTS = [
  ["clock", "later"],
  ["person", "nameless"],
  ["attach", "photos"],
] as const;

/** How it will look to a visitor, while it is being changed. */
export function Preview({ site }: { site: Site }) {
  const { sites } = tell();
  const [state, setState] = useState<State>("open");
  const [width, setWidth] = useState<Width>("wide");
  const [scheme, setScheme] = useState<Scheme>("light");
  const [chosen, choose] = useState<Tongue>("nl");
  const tongue = site.languages.includes(chosen) ? chosen : (site.languages[0] ?? "nl");
  const hidden = state === "away" && site.when_away === "hide";
  return (
    <aside class="preview" aria-label={sites.preview}>
      <header>
        <h3>{sites.preview}</h3>
        <Segmented
          label={sites.preview}
          value={state}
          options={(["open", "closed", "away"] as const).map((value) => ({
            value,
            label: sites.preview_states[value],
          }))}
          onChange={setState}
        />
      </header>
      <div
        class={`page-sample ${width} ${scheme}`}
        style={accentStyle(site)}
        lang={tongue}
        aria-hidden="true"
      >
        <div class="blocks">
          <i />
          <i />
          <i />
          <i />
        </div>
        {!hidden && (
          <div
            class={`stand ${site.look.position}`}
            style={{ "--offset": `${site.look.offset}px` }}
          >
            {state !== "closed" && <Panel site={site} state={state} tongue={tongue} />}
            {state === "closed" && <Launcher site={site} tongue={tongue} />}
            {state !== "closed" && width === "wide" && site.look.shape === "bubble" && <Cross />}
          </div>
        )}
      </div>
      <footer>
        <Segmented
          label={tell().language}
          value={tongue}
          options={site.languages.map((value) => ({
            value,
            label: value.toUpperCase(),
            name: `${value.toUpperCase()}, ${tell().languages[value]}`,
          }))}
          onChange={choose}
        />
        <Segmented
          label={sites.preview_scheme}
          value={scheme}
          options={[
            { value: "light", label: <Icon name="sun" />, name: sites.preview_schemes.light },
            { value: "dark", label: <Icon name="moon" />, name: sites.preview_schemes.dark },
          ]}
          onChange={setScheme}
        />
        <Segmented
          label={sites.preview_width}
          value={width}
          options={[
            { value: "wide", label: <Icon name="desktop" />, name: sites.preview_widths.wide },
            { value: "narrow", label: <Icon name="phone" />, name: sites.preview_widths.narrow },
          ]}
          onChange={setWidth}
        />
      </footer>
    </aside>
  );
}

function Panel({ site, state, tongue }: { site: Site; state: State; tongue: Tongue }) {
  const own = site.texts[tongue];
  const away = state === "away";
  const name = panelSays(away ? "away" : "here", { name: firstName() });
  const line = away ? own?.away || panelSays("awayLine")[tongue] : panelSays("hereLine")[tongue];
  return (
    <div class="panel-sample">
      <header>
        <i>{initialsOf(site.name)}</i>
        <b>{site.name}</b>
        <Icon name="close" />
      </header>
      <div class="body-sample">
        <p>{own?.greeting || panelSays("greeting")[tongue]}</p>
        {FACTS.map(([icon, fact]) => (
          <b key={fact}>
            <Icon name={icon} />
            {panelSays(fact)[tongue]}
          </b>
        ))}
      </div>
      <footer>
        <div class={away ? "who-sample away" : "who-sample"}>
          {away ? <i class="house">{initialsOf(site.name)}</i> : <Myself />}
          <b>{name[tongue]}</b>
          <span>{line}</span>
        </div>
        <div class="type-sample">
          <Icon name="attach" />
          <span>{panelSays("typeFirst")[tongue]}</span>
          <i>
            <Icon name="send" />
          </i>
        </div>
      </footer>
    </div>
  );
}

// The visitor sees whoever is there: now, that is you.

const firstName = () => me.value?.agent.name.split(" ")[0] ?? "";

const Myself = () => (
  <i>
    <Face name={me.value?.agent.name} picture={me.value?.agent.picture} size={28} />
  </i>
);

/** Under an open panel the button is a cross; a tab and a bar hide. */
const Cross = () => (
  <div class="launcher-sample">
    <Icon name="close" size="large" />
  </div>
);

/** The launcher has no room for two initials and a colour of one's own: it has one, on the site's. */
function Launcher({ site, tongue }: { site: Site; tongue: Tongue }) {
  const { shape } = site.look;
  const picture = me.value?.agent.picture;
  return (
    <div class={`launcher-sample here ${shape}`}>
      <i>{picture ? <img src={picture} alt="" /> : <b>{firstName()[0]}</b>}</i>
      {shape === "bubble" ? (
        <em>
          <Icon name="chat" />
        </em>
      ) : (
        <span>{site.texts[tongue]?.label || launcherSays(firstName())[tongue]}</span>
      )}
    </div>
  );
}
