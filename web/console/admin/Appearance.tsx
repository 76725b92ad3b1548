import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Segmented } from "../../ui/buttons";
import { Icon } from "../../ui/icons";
import { sayNumber } from "../../ui/intl";
import { language } from "../state/me";
import { correctAccent, isColour } from "./accent";
import { launcherSays, panelSays } from "./panelWords";
import type { Site, SiteTexts, Tongue } from "./sites";
import { tell } from "./tell";

const TONGUES = ["nl", "en"] as const;

interface AppearanceProps {
  site: Site;
  origins: string;
  onChange: (part: Partial<Site>) => void;
  onOrigins: (origins: string) => void;
}

export function Appearance({ site, origins, onChange, onOrigins }: AppearanceProps) {
  const { sites } = tell();
  const look = (part: Partial<Site["look"]>) => onChange({ look: { ...site.look, ...part } });
  return (
    <>
      <Line title={sites.name}>
        {(id) => (
          <input
            id={id}
            class="input"
            maxLength={80}
            value={site.name}
            onInput={(event) => onChange({ name: event.currentTarget.value })}
          />
        )}
      </Line>
      <Colour accent={site.look.accent} onAccent={(accent) => look({ accent })} />
      <Shape site={site} onShape={(shape) => look({ shape })} />
      <Group title={sites.position}>
        <Segmented
          label={sites.position}
          value={site.look.position}
          options={[
            { value: "left", label: sites.positions.left },
            { value: "right", label: sites.positions.right },
          ]}
          onChange={(position) => look({ position })}
        />
        <label class="inline">
          {sites.offset}
          <input
            class="input short"
            type="number"
            min={0}
            max={120}
            value={site.look.offset}
            onInput={(event) => look({ offset: clampOffset(event.currentTarget.valueAsNumber) })}
          />
          {sites.pixels}
        </label>
      </Group>
      <Group title={sites.languages}>
        {TONGUES.map((tongue) => (
          <label key={tongue} class="inline">
            <input
              type="checkbox"
              checked={site.languages.includes(tongue)}
              disabled={site.languages.length === 1 && site.languages[0] === tongue}
              onChange={(event) =>
                onChange({ languages: withTongue(site, tongue, event.currentTarget.checked) })
              }
            />
            {tell().languages[tongue]}
          </label>
        ))}
      </Group>
      <Texts
        site={site}
        of="greeting"
        title={sites.greeting}
        defaults={panelSays("greeting")}
        onChange={onChange}
      />
      {site.look.shape !== "bubble" && (
        <Texts
          site={site}
          of="label"
          title={sites.label}
          defaults={launcherSays("…")}
          onChange={onChange}
        />
      )}
      <Select
        title={sites.away}
        value={site.when_away}
        options={sites.when_away}
        onValue={(when_away) => onChange({ when_away })}
      />
      {site.when_away === "message" && (
        <Texts
          site={site}
          of="away"
          title={sites.away_text}
          defaults={panelSays("awayLine")}
          onChange={onChange}
        />
      )}
      <Select
        title={sites.after_close}
        value={site.after_close}
        options={sites.after}
        onValue={(after_close) => onChange({ after_close })}
      />
      <Line title={sites.origins}>
        {(id) => (
          <>
            <textarea
              id={id}
              class="input"
              rows={2}
              spellcheck={false}
              value={origins}
              onInput={(event) => onOrigins(event.currentTarget.value)}
            />
            <p class="hint">{sites.origins_hint}</p>
          </>
        )}
      </Line>
    </>
  );
}

function clampOffset(value: number): number {
  return Number.isFinite(value) ? Math.max(0, Math.min(120, Math.round(value))) : 0;
}

function withTongue(site: Site, tongue: Tongue, on: boolean): Tongue[] {
  const others = site.languages.filter((one) => one !== tongue);
  return on ? [...others, tongue] : others;
}

/** A label at the left, what it names at the right. */
export function Line({
  title,
  children,
}: {
  title: string;
  children: (id: string) => ComponentChildren;
}) {
  const id = useId();
  return (
    <div class="setting">
      <label for={id}>{title}</label>
      <div>{children(id)}</div>
    </div>
  );
}

export function Group({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <fieldset class="setting">
      <legend>{title}</legend>
      <div class="row-of">{children}</div>
    </fieldset>
  );
}

interface SelectProps<Value extends string> {
  title: string;
  value: Value;
  options: Record<Value, string>;
  onValue: (value: Value) => void;
}

function Select<Value extends string>({ title, value, options, onValue }: SelectProps<Value>) {
  return (
    <Line title={title}>
      {(id) => (
        <select
          id={id}
          class="input"
          value={value}
          onChange={(event) => onValue(event.currentTarget.value as Value)}
        >
          {Object.entries<string>(options).map(([key, text]) => (
            <option key={key} value={key}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Line>
  );
}

function Colour({ accent, onAccent }: { accent: string; onAccent: (accent: string) => void }) {
  const { sites } = tell();
  return (
    <Group title={sites.colour}>
      {Object.entries(sites.colours).map(([colour, name]) => (
        <button
          key={colour}
          type="button"
          class="swatch"
          style={{ "--swatch": colour }}
          aria-label={name}
          title={name}
          aria-pressed={accent.toLowerCase() === colour}
          onClick={() => onAccent(colour)}
        />
      ))}
      <input
        class="input code"
        aria-label={sites.colour_code}
        aria-invalid={!isColour(accent)}
        maxLength={7}
        spellcheck={false}
        value={accent}
        onInput={(event) => onAccent(event.currentTarget.value)}
      />
      <Readable accent={accent} />
    </Group>
  );
}

function Readable({ accent }: { accent: string }) {
  const { sites } = tell();
  if (!isColour(accent))
    return (
      <p class="fault" role="status">
        <Icon name="alert" />
        {sites.colour_wrong}
      </p>
    );
  const { corrected, ratio } = correctAccent(accent);
  const said = sayNumber(Math.round(ratio * 10) / 10, language.value);
  return (
    <p class="hint" role="status">
      <Icon name="verified" />
      {corrected ? sites.corrected(said) : sites.readable(said)}
    </p>
  );
}

function Shape({ site, onShape }: { site: Site; onShape: (shape: Site["look"]["shape"]) => void }) {
  const { sites } = tell();
  return (
    <Group title={sites.shape}>
      <div class="shapes">
        {(["bubble", "tab", "bar"] as const).map((shape) => (
          <label key={shape} class="shape">
            <input
              class="aloud"
              type="radio"
              name="shape"
              checked={site.look.shape === shape}
              onChange={() => onShape(shape)}
            />
            <span class={`sample ${shape} ${site.look.position}`} style={accentStyle(site)}>
              <i />
            </span>
            {sites.shapes[shape]}
          </label>
        ))}
      </div>
    </Group>
  );
}

export function accentStyle(site: Site): Record<string, string> {
  const asked = isColour(site.look.accent) ? site.look.accent : "#2b4c9b";
  const { colour, ink, dark, darkInk } = correctAccent(asked);
  return {
    "--site": colour,
    "--site-ink": ink,
    "--site-dark": dark,
    "--site-dark-ink": darkInk,
  };
}

interface TextsProps {
  site: Site;
  of: keyof SiteTexts;
  title: string;
  defaults: Record<Tongue, string>;
  onChange: (part: Partial<Site>) => void;
}

/** One line for each language of the site; empty means Balie's own words. */
function Texts({ site, of, title, defaults, onChange }: TextsProps) {
  const put = (tongue: Tongue, text: string) =>
    onChange({ texts: { ...site.texts, [tongue]: { ...site.texts[tongue], [of]: text } } });
  return (
    <Group title={title}>
      <div class="texts">
        {TONGUES.filter((tongue) => site.languages.includes(tongue)).map((tongue) => (
          <input
            key={tongue}
            class="input"
            lang={tongue}
            maxLength={of === "label" ? 40 : 400}
            aria-label={`${title}, ${tell().languages[tongue]}`}
            placeholder={defaults[tongue]}
            value={site.texts[tongue]?.[of] ?? ""}
            onInput={(event) => put(tongue, event.currentTarget.value)}
          />
        ))}
      </div>
    </Group>
  );
}
