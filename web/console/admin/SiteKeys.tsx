import { useState } from "preact/hooks";
import { Button } from "../../ui/buttons";
import { sayDate } from "../../ui/intl";
import { Dialog } from "../../ui/overlays";
import { asProblem, call } from "../state/api";
import { language, say } from "../state/me";
import { Group } from "./Appearance";
import { CopyButton, Fault } from "./pieces";
import type { Site, SiteKey } from "./sites";
import { explain, tell } from "./tell";

type Made = SiteKey & { secret?: string };

/** Keys that sign who a visitor is. */
export function SiteKeys({ site, onKeys }: { site: Site; onKeys: (keys: SiteKey[]) => void }) {
  const { sites } = tell();
  const [made, setMade] = useState<Made | null>(null);
  const [adding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<SiteKey | null>(null);
  const [fault, setFault] = useState<string | null>(null);

  async function make(wish: { algorithm: SiteKey["algorithm"]; public_key?: string }) {
    setFault(null);
    try {
      const { secret, ...key } = await call<Made>("POST", `/sites/${site.id}/keys`, wish);
      onKeys([...site.keys, key]);
      setMade(secret ? { ...key, secret } : null);
      setAdding(false);
    } catch (problem) {
      const { status } = asProblem(problem);
      setFault(status === 409 ? sites.two_keys : status === 422 ? sites.bad_key : explain(problem));
    }
  }
  async function remove(key: SiteKey) {
    setLeaving(null);
    try {
      await call("DELETE", `/sites/${site.id}/keys/${key.kid}`);
      onKeys(site.keys.filter((one) => one.kid !== key.kid));
    } catch (problem) {
      setFault(explain(problem));
    }
  }
  return (
    <Group title={sites.keys}>
      <p class="hint">{sites.keys_lead}</p>
      <ul class="lines">
        {site.keys.map((key) => (
          <li key={key.kid}>
            <div class="grow">
              <code>{key.kid}</code>
              <p class="quiet">
                {key.algorithm} · {sayDate(key.created_at, Date.now(), language.value)}
              </p>
            </div>
            <Button size="small" onClick={() => setLeaving(key)}>
              {sites.remove_key}
            </Button>
          </li>
        ))}
      </ul>
      {made?.secret && <Secret secret={made.secret} />}
      {adding && <PublicKey onKey={(public_key) => make({ algorithm: "EdDSA", public_key })} />}
      <div class="actions">
        <Button onClick={() => make({ algorithm: "HS256" })}>{sites.new_secret}</Button>
        {!adding && (
          <Button kind="plain" onClick={() => setAdding(true)}>
            {sites.add_public}
          </Button>
        )}
      </div>
      <Fault text={fault} />
      {leaving && (
        <Dialog
          title={sites.remove_key_title}
          closeWord={say().close}
          onClose={() => setLeaving(null)}
        >
          <p>{sites.remove_key_lead}</p>
          <div class="actions">
            <Button kind="grave" onClick={() => remove(leaving)}>
              {sites.remove_key}
            </Button>
            <Button kind="plain" onClick={() => setLeaving(null)}>
              {say().cancel}
            </Button>
          </div>
        </Dialog>
      )}
    </Group>
  );
}

function Secret({ secret }: { secret: string }) {
  return (
    <div class="fresh-link" role="status">
      <div class="grow">
        <b>{tell().sites.secret_once}</b>
        <code class="cut">{secret}</code>
      </div>
      <CopyButton text={secret} />
    </div>
  );
}

function PublicKey({ onKey }: { onKey: (pem: string) => void }) {
  const { sites } = tell();
  const [pem, setPem] = useState("");
  return (
    <div class="stack">
      <textarea
        class="input"
        rows={4}
        aria-label={sites.public_key}
        placeholder="-----BEGIN PUBLIC KEY-----"
        spellcheck={false}
        value={pem}
        onInput={(event) => setPem(event.currentTarget.value)}
      />
      <div>
        <Button onClick={() => onKey(pem.trim())}>{sites.add_public}</Button>
      </div>
    </div>
  );
}
