import { useState } from "preact/hooks";
import { Button } from "../../ui/buttons";
import { TextField } from "../../ui/Field";
import { Icon } from "../../ui/icons";
import { call, type Page } from "../state/api";
import { go, settingsPath } from "../state/route";
import { Fault, Head, LoadFailed, useFetched } from "./pieces";
import { asOrigin, type Site } from "./sites";
import { explain, tell } from "./tell";

export function SitesPage() {
  const { pages, sites } = tell();
  const { answer, failed, load } = useFetched<Page<Site>>("/sites");
  if (failed) return <LoadFailed again={load} />;
  return (
    <>
      <Head title={pages.sites} lead={sites.lead} />
      <NewSite />
      <ul class="lines sites">
        {answer?.data.map((site) => (
          <li key={site.id}>
            <i class="swatch" style={{ "--swatch": site.look.accent }} />
            <div class="grow">
              <b>{site.name}</b>
              <p class="quiet cut">{site.origins.join(" · ") || site.key}</p>
            </div>
            <a class="button" href={settingsPath("sites", site.id)}>
              <Icon name="palette" />
              {sites.open}
            </a>
          </li>
        ))}
      </ul>
      {answer && !answer.data.length && <p class="quiet">{sites.none}</p>}
    </>
  );
}

function NewSite() {
  const { sites } = tell();
  const [name, setName] = useState("");
  const [address, setAddress] = useState("");
  const [fault, setFault] = useState<string | null>(null);

  async function submit(event: Event) {
    event.preventDefault();
    const origin = asOrigin(address);
    if (!origin) return setFault(sites.origins_wrong(address));
    setFault(null);
    try {
      const wish = { name: name.trim(), origins: [origin] };
      const site = await call<Site>("POST", "/sites", wish);
      go(settingsPath("sites", site.id));
    } catch (problem) {
      setFault(explain(problem));
    }
  }
  return (
    <form class="new-row" onSubmit={submit}>
      <TextField
        label={sites.name}
        value={name}
        onValue={setName}
        input={{ required: true, maxLength: 80 }}
      />
      <TextField
        label={sites.origin}
        value={address}
        onValue={setAddress}
        input={{ required: true, inputMode: "url" }}
      />
      <Button type="submit" kind="primary">
        {sites.create}
      </Button>
      <Fault text={fault} />
    </form>
  );
}
