import { useState } from "preact/hooks";
import { Button } from "../../ui/buttons";
import { TextField } from "../../ui/Field";
import { Icon } from "../../ui/icons";
import { Tag } from "../../ui/marks";
import { asProblem, call, type Page } from "../state/api";
import { settingsPath } from "../state/route";
import { CopyButton, Fault, Head, LoadFailed, useFetched } from "./pieces";
import { explain, tell } from "./tell";
import { type MadeWebhook, USUAL, type Webhook } from "./webhooks";

export function WebhooksPage() {
  const { pages, webhooks } = tell();
  const { answer, setAnswer, failed, load } = useFetched<Page<Webhook>>("/webhooks");
  const [made, setMade] = useState<MadeWebhook | null>(null);
  if (failed) return <LoadFailed again={load} />;
  const add = (one: MadeWebhook) => {
    setMade(one);
    setAnswer((page) => ({ data: [...(page?.data ?? []), one.webhook] }));
  };
  return (
    <>
      <Head title={pages.webhooks} lead={webhooks.lead} />
      <NewWebhook onMade={add} />
      {made && <Secret secret={made.secret} />}
      <ul class="lines webhooks" aria-busy={!answer}>
        {answer?.data.map((webhook) => (
          <li key={webhook.id}>
            <div class="grow">
              <code class="address">{webhook.url}</code>
              <p class="quiet">
                <Standing webhook={webhook} /> {webhooks.hears(webhook.types.length)}
              </p>
            </div>
            <a class="button" href={settingsPath("webhooks", webhook.id)}>
              {webhooks.open}
            </a>
          </li>
        ))}
      </ul>
      {answer && !answer.data.length && <p class="quiet">{webhooks.none}</p>}
    </>
  );
}

/** One word for how it is doing. */
export function Standing({ webhook }: { webhook: Webhook }) {
  const { standing } = tell().webhooks;
  if (!webhook.enabled) {
    const asked = webhook.disabled_because === "asked";
    return <Tag tone={asked ? undefined : "late"}>{standing.off}</Tag>;
  }
  return webhook.failing_since ? (
    <Tag tone="soon">{standing.failing}</Tag>
  ) : (
    <Tag tone="good">{standing.on}</Tag>
  );
}

/** The one time that it is to be seen. */
export function Secret({ secret }: { secret: string }) {
  const { secret_once, secret_hint } = tell().webhooks;
  return (
    <div class="fresh-link" role="status">
      <div class="grow">
        <b>{secret_once}</b>
        <p class="hint">{secret_hint}</p>
        <code class="cut">{secret}</code>
      </div>
      <CopyButton text={secret} />
    </div>
  );
}

function NewWebhook({ onMade }: { onMade: (made: MadeWebhook) => void }) {
  const { webhooks } = tell();
  const [url, setUrl] = useState("");
  const [fault, setFault] = useState<string | null>(null);

  async function submit(event: Event) {
    event.preventDefault();
    setFault(null);
    try {
      onMade(await call<MadeWebhook>("POST", "/webhooks", { url: url.trim(), types: USUAL }));
      setUrl("");
    } catch (problem) {
      setFault(explainAddress(problem));
    }
  }
  return (
    <form class="new-row" onSubmit={submit}>
      <TextField
        label={webhooks.url}
        value={url}
        onValue={setUrl}
        input={{ required: true, inputMode: "url", maxLength: 2048, placeholder: "https://" }}
      />
      <Button type="submit" kind="primary">
        {webhooks.create}
      </Button>
      <Fault text={fault} />
    </form>
  );
}

/** Why an address was not taken. */
export function explainAddress(problem: unknown): string {
  const { status } = asProblem(problem);
  const { bad_url, full } = tell().webhooks;
  return status === 422 ? bad_url : status === 409 ? full : explain(problem);
}

/** Beside the place in the list of settings: something was switched off that nobody asked for. */
export function WebhookNotice() {
  const { answer } = useFetched<Page<Webhook>>("/webhooks");
  const bad = answer?.data.some(
    ({ enabled, disabled_because }) => !enabled && disabled_because !== "asked",
  );
  if (!bad) return null;
  return (
    <span class="notice" title={tell().webhooks.some_off}>
      <Icon name="alert" />
      <span class="aloud">{tell().webhooks.some_off}</span>
    </span>
  );
}
