import { useState } from "preact/hooks";
import { Button } from "../../ui/buttons";
import { TextField } from "../../ui/Field";
import { Icon } from "../../ui/icons";
import { sayMoment } from "../../ui/intl";
import { Strip } from "../../ui/marks";
import { Dialog } from "../../ui/overlays";
import { asProblem, call } from "../state/api";
import { language, say } from "../state/me";
import { go, settingsPath } from "../state/route";
import { Deliveries } from "./Deliveries";
import { Fault, Head, LoadFailed, Toggle, useFetched } from "./pieces";
import { explain, tell } from "./tell";
import { explainAddress, Secret } from "./WebhooksPage";
import {
  isWell,
  type MadeWebhook,
  type Result,
  sayDuration,
  sayResult,
  TYPES,
  type Webhook,
} from "./webhooks";

/** One webhook: where it is, what it hears, what came of it. */
export function WebhookPage({ id }: { id: string }) {
  const path = `/webhooks/${id}`;
  const { answer, setAnswer, failed, load } = useFetched<Webhook>(path);
  const { webhooks, pages } = tell();
  if (failed) return <LoadFailed again={load} />;
  return (
    <div class="webhook">
      <Head title={webhooks.one} lead={webhooks.one_lead}>
        <a class="button plain" href={settingsPath("webhooks")}>
          <Icon name="back" />
          {pages.webhooks}
        </a>
      </Head>
      {answer && (
        <>
          <WhyOff webhook={answer} />
          <Form webhook={answer} onSaved={setAnswer} />
          <Try path={path} />
          <Secrets path={path} webhook={answer} onChange={setAnswer} />
          <Deliveries path={path} />
          <Farewell path={path} />
        </>
      )}
    </div>
  );
}

function WhyOff({ webhook }: { webhook: Webhook }) {
  const { why_off, failing } = tell().webhooks;
  const reason = webhook.disabled_because;
  if (reason === "gone" || reason === "failing")
    return (
      <Strip tone="late" icon="alert" role="status">
        {why_off[reason]}
      </Strip>
    );
  if (!webhook.failing_since) return null;
  return (
    <Strip icon="alert" role="status">
      {failing(sayMoment(webhook.failing_since, Date.now(), language.value))}
    </Strip>
  );
}

interface FormProps {
  webhook: Webhook;
  onSaved: (webhook: Webhook) => void;
}

function Form({ webhook, onSaved }: FormProps) {
  const { webhooks } = tell();
  const [url, setUrl] = useState(webhook.url);
  const [types, setTypes] = useState(webhook.types);
  const [fault, setFault] = useState<string | null>(null);
  const [done, setDone] = useState(false);
  const path = `/webhooks/${webhook.id}`;

  async function put(change: Partial<Pick<Webhook, "url" | "types" | "enabled">>) {
    setFault(null);
    setDone(false);
    try {
      const saved = await call<Webhook>("PATCH", path, change);
      onSaved(saved);
      return saved;
    } catch (problem) {
      setFault(explainAddress(problem));
      return null;
    }
  }
  async function submit(event: Event) {
    event.preventDefault();
    if (!types.length) return setFault(webhooks.choose_one);
    const saved = await put({ url: url.trim(), types });
    if (!saved) return;
    setUrl(saved.url);
    setDone(true);
  }
  const toggle = (type: string, on: boolean) => {
    setDone(false);
    setTypes(TYPES.filter((one) => (one === type ? on : types.includes(one))));
  };
  return (
    <form class="card" onSubmit={submit}>
      <Toggle
        id="webhook-on"
        title={webhooks.enabled}
        hint={webhooks.enabled_hint}
        on={webhook.enabled}
        onChange={(enabled) => put({ enabled })}
      />
      <TextField
        label={webhooks.url}
        value={url}
        onValue={(value) => {
          setDone(false);
          setUrl(value);
        }}
        input={{ required: true, inputMode: "url", maxLength: 2048, spellcheck: false }}
      />
      <fieldset class="choices">
        <legend>{webhooks.hears_title}</legend>
        {TYPES.map((type) => (
          <label key={type}>
            <input
              type="checkbox"
              checked={types.includes(type)}
              onChange={(event) => toggle(type, event.currentTarget.checked)}
            />
            <span>
              {webhooks.types[type]}
              <code>{type}</code>
            </span>
          </label>
        ))}
      </fieldset>
      <div class="save">
        <Button type="submit" kind="primary">
          {say().save}
        </Button>
        <span role="status">{done && say().saved}</span>
      </div>
      <Fault text={fault} />
    </form>
  );
}

function Try({ path }: { path: string }) {
  const { webhooks } = tell();
  const [result, setResult] = useState<Result | null>(null);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);

  async function test() {
    setBusy(true);
    setFault(null);
    setResult(null);
    try {
      setResult(await call<Result>("POST", `${path}/test`));
    } catch (problem) {
      setFault(asProblem(problem).status === 429 ? webhooks.too_often : explain(problem));
    } finally {
      setBusy(false);
    }
  }
  return (
    <section class="card">
      <div class="toggle">
        <div class="grow">
          <h3>{webhooks.test}</h3>
          <p class="hint">{webhooks.test_hint}</p>
        </div>
        <Button onClick={test} disabled={busy}>
          {busy ? webhooks.testing : webhooks.test_now}
        </Button>
      </div>
      <p class="outcome" role="status">
        {result && (
          <>
            <Icon name={isWell(result) ? "verified" : "alert"} />
            {isWell(result) ? webhooks.test_well : webhooks.test_failed}{" "}
            {sayResult(result, webhooks)} · {sayDuration(result.milliseconds ?? 0, language.value)}
          </>
        )}
      </p>
      <Fault text={fault} />
    </section>
  );
}

interface SecretsProps {
  path: string;
  webhook: Webhook;
  onChange: (webhook: Webhook) => void;
}

function Secrets({ path, webhook, onChange }: SecretsProps) {
  const { webhooks } = tell();
  const [secret, setSecret] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  const [fault, setFault] = useState<string | null>(null);

  async function rotate() {
    setAsking(false);
    setFault(null);
    try {
      const made = await call<MadeWebhook>("POST", `${path}/secret`);
      onChange(made.webhook);
      setSecret(made.secret);
    } catch (problem) {
      setFault(explain(problem));
    }
  }
  const until = webhook.former_until;
  return (
    <section class="card">
      <div class="toggle">
        <div class="grow">
          <h3>{webhooks.secret}</h3>
          <p class="hint">
            {until
              ? webhooks.two_secrets(sayMoment(until, Date.now(), language.value))
              : webhooks.secret_lead}
          </p>
        </div>
        <Button onClick={() => setAsking(true)}>{webhooks.rotate}</Button>
      </div>
      {secret && <Secret secret={secret} />}
      <Fault text={fault} />
      {asking && (
        <Asked
          title={webhooks.rotate_title}
          lead={webhooks.rotate_lead}
          word={webhooks.rotate}
          onYes={rotate}
          onNo={() => setAsking(false)}
        />
      )}
    </section>
  );
}

function Farewell({ path }: { path: string }) {
  const { webhooks } = tell();
  const [asking, setAsking] = useState(false);
  const [fault, setFault] = useState<string | null>(null);

  async function remove() {
    setAsking(false);
    try {
      await call("DELETE", path);
      go(settingsPath("webhooks"), true);
    } catch (problem) {
      setFault(explain(problem));
    }
  }
  return (
    <section class="card">
      <div>
        <Button kind="grave" onClick={() => setAsking(true)}>
          <Icon name="bin" />
          {webhooks.remove}
        </Button>
      </div>
      <Fault text={fault} />
      {asking && (
        <Asked
          grave
          title={webhooks.remove_title}
          lead={webhooks.remove_lead}
          word={webhooks.remove}
          onYes={remove}
          onNo={() => setAsking(false)}
        />
      )}
    </section>
  );
}

interface AskedProps {
  title: string;
  lead: string;
  word: string;
  grave?: boolean;
  onYes: () => void;
  onNo: () => void;
}

function Asked({ title, lead, word, grave, onYes, onNo }: AskedProps) {
  return (
    <Dialog title={title} closeWord={say().close} onClose={onNo}>
      <p>{lead}</p>
      <div class="actions">
        <Button kind={grave ? "grave" : "primary"} onClick={onYes}>
          {word}
        </Button>
        <Button kind="plain" onClick={onNo}>
          {say().cancel}
        </Button>
      </div>
    </Dialog>
  );
}
