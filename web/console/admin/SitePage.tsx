import { useState } from "preact/hooks";
import { Button, Segmented } from "../../ui/buttons";
import { call } from "../state/api";
import { say } from "../state/me";
import { Appearance } from "./Appearance";
import { isColour } from "./accent";
import { Preview } from "./Preview";
import { Fault, Head, LoadFailed, useFetched } from "./pieces";
import { SiteKeys } from "./SiteKeys";
import { Snippet } from "./Snippet";
import { asWish, countChanges, keepDraft, readDraft, type Wish } from "./siteDraft";
import { asOrigin, type Site } from "./sites";
import { explain, tell } from "./tell";

export function SitePage({ id }: { id: string }) {
  const { answer, setAnswer, failed, load } = useFetched<Site>(`/sites/${id}`);
  if (failed) return <LoadFailed again={load} />;
  return answer && <SiteForm saved={answer} onSaved={setAnswer} />;
}

function SiteForm({ saved, onSaved }: { saved: Site; onSaved: (site: Site) => void }) {
  const { sites, publish } = tell();
  const live = asWish(saved);
  const [wish, put] = useState(() => readDraft(live));
  const [shown, show] = useState<"form" | "preview">("form");
  const [fault, setFault] = useState<string | null>(null);
  const changes = countChanges(wish, live);
  const wrong = findFault(wish);

  function setWish(next: Wish) {
    put(next);
    keepDraft(next, live);
  }

  async function submit(event: Event) {
    event.preventDefault();
    setFault(wrong);
    if (wrong) return;
    try {
      const site = await call<Site>("PATCH", `/sites/${saved.id}`, asPatch(wish));
      onSaved(site);
      put(asWish(site));
      keepDraft(asWish(site), asWish(site));
    } catch (problem) {
      setFault(explain(problem));
    }
  }
  return (
    <form class={`site shows-${shown}`} onSubmit={submit}>
      <div class="site-tabs">
        <Segmented
          label={sites.look_of(saved.name)}
          value={shown}
          options={[
            { value: "form", label: sites.edit },
            { value: "preview", label: sites.preview },
          ]}
          onChange={show}
        />
      </div>
      <div class="site-form">
        <Head title={sites.look_of(saved.name)} lead={sites.look_lead}>
          <span class="quiet" role="status">
            {changes ? sites.changes(changes) : sites.all_live}
          </span>
          {changes > 0 && (
            <Button kind="plain" onClick={() => setWish(live)}>
              {sites.discard}
            </Button>
          )}
          <Button type="submit" kind="primary" aria-disabled={!changes}>
            {publish}
          </Button>
        </Head>
        <Fault text={fault ?? (changes ? wrong : null)} />
        <Appearance
          site={{ ...wish, origins: [] }}
          origins={wish.origins}
          onChange={(part) => setWish({ ...wish, ...part } as Wish)}
          onOrigins={(origins) => setWish({ ...wish, origins })}
        />
        <Snippet siteKey={saved.key} />
        <SiteKeys site={saved} onKeys={(keys) => onSaved({ ...saved, keys })} />
        <a class="back-link" href="/app/settings/sites">
          {say().back}
        </a>
      </div>
      <Preview site={{ ...wish, origins: [] }} />
    </form>
  );
}

function asPatch(wish: Wish): Record<string, unknown> {
  const { name, languages, look, texts, after_close, when_away } = wish;
  return {
    name: name.trim(),
    languages,
    look,
    texts,
    after_close,
    when_away,
    origins: originsOf(wish),
  };
}

function linesOf({ origins }: Wish): string[] {
  return origins.split("\n").filter((line) => line.trim());
}

function originsOf(wish: Wish): string[] {
  return linesOf(wish).flatMap((line) => asOrigin(line) ?? []);
}

function findFault(wish: Wish): string | null {
  const { sites, people } = tell();
  if (!wish.name.trim()) return people.name_missing;
  if (!isColour(wish.look.accent)) return sites.colour_wrong;
  const bad = linesOf(wish).find((line) => !asOrigin(line));
  return bad === undefined ? null : sites.origins_wrong(bad.trim());
}
