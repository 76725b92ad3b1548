import { useState } from "preact/hooks";
import { Segmented } from "../../ui/buttons";
import { Icon } from "../../ui/icons";
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
              <Launcher site={site} open={state !== "closed"} tongue={tongue} />
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
        <b>{site.name}</b>
        <span>{(away ? sites.desk_away : sites.desk_here)[tongue]}</span>
      </header>
      <p>
        {away
          ? texts?.away || sites.default_away[tongue]
          : texts?.greeting || sites.default_greeting[tongue]}
      </p>
      <div class="type-sample">
        <span>{sites.placeholder[tongue]}</span>
        <i>
          <Icon name="send" />
        </i>
      </div>
    </div>
  );
}

function Launcher({ site, open, tongue }: { site: Site; open: boolean; tongue: Tongue }) {
  const { shape } = site.look;
  const label = site.texts[tongue]?.label || tell().sites.default_label[tongue];
  return (
    <div class={`launcher-sample ${shape}`}>
      <Icon name={open ? "close" : "new"} size="large" />
      {shape !== "bubble" && !open && label}
    </div>
  );
}
