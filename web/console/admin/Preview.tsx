import { useState } from "preact/hooks";
import { Segmented } from "../../ui/buttons";
import { Icon } from "../../ui/icons";
import { me } from "../state/me";
import { accentStyle } from "./Appearance";
import type { Site, Tongue } from "./sites";
import { tell } from "./tell";

type State = "open" | "closed" | "away";
type Width = "wide" | "narrow";

/** How it will look to a visitor, while it is being changed. */
export function Preview({ site }: { site: Site }) {
  const { sites } = tell();
  const [state, setState] = useState<State>("open");
  const [width, setWidth] = useState<Width>("wide");
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
        class={`page-sample ${width}`}
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
            {(state === "closed" || width === "wide") && (
              <Launcher site={site} state={state} tongue={tongue} />
            )}
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
          label={sites.preview_widths.wide}
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
  const { sites } = tell();
  const texts = site.texts[tongue];
  const away = state === "away";
  return (
    <div class="panel-sample">
      <header>
        <i>{site.name.slice(0, 2)}</i>
        <b>{site.name}</b>
      </header>
      <p>{texts?.greeting || sites.default_greeting[tongue]}</p>
      <footer>
        <div class={away ? "who-sample away" : "who-sample"}>
          <i />
          <b>{named((away ? sites.desk_away : sites.desk_here)[tongue])}</b>
          <span>{away ? texts?.away || sites.default_away[tongue] : sites.desk_line[tongue]}</span>
        </div>
        <div class="type-sample">
          <span>{sites.placeholder[tongue]}</span>
          <i>
            <Icon name="send" />
          </i>
        </div>
      </footer>
    </div>
  );
}

/** The visitor sees the name of whoever is there: now, that is you. */
const named = (text: string) => text.replace("…", me.value?.agent.name.split(" ")[0] ?? "");

function Launcher({ site, state, tongue }: { site: Site; state: State; tongue: Tongue }) {
  const { sites } = tell();
  const { shape } = site.look;
  if (state !== "closed")
    return (
      <div class="launcher-sample">
        <Icon name="close" size="large" />
      </div>
    );
  return (
    <div class={`launcher-sample here ${shape}`}>
      <i />
      {shape !== "bubble" && (
        <span>{site.texts[tongue]?.label || named(sites.default_label[tongue])}</span>
      )}
    </div>
  );
}
