import { useState } from "preact/hooks";
import { Button, IconButton, Segmented } from "../../ui/buttons";
import { Icon } from "../../ui/icons";
import { sayMoment } from "../../ui/intl";
import { Tag } from "../../ui/marks";
import { asProblem, call } from "../state/api";
import { language } from "../state/me";
import { conversationPath } from "../state/route";
import { LoadFailed, useFetched } from "./pieces";
import { explain, tell } from "./tell";
import { type Delivery, type DeliveryState, sayDuration, sayResult } from "./webhooks";

interface Page {
  data: Delivery[];
  next_cursor?: string | null;
}

/** Until then most receivers have answered. */
const SETTLES = 1500;

type Shown = "all" | "dead" | "waiting";

/** What was and is to be delivered, youngest first. */
export function Deliveries({ path }: { path: string }) {
  const { webhooks } = tell();
  const [shown, setShown] = useState<Shown>("all");
  const query = shown === "all" ? "" : `?state=${shown}`;
  return (
    <section class="card">
      <div class="toggle">
        <h3 class="grow">{webhooks.deliveries}</h3>
        <Segmented<Shown>
          label={webhooks.show}
          value={shown}
          options={(["all", "waiting", "dead"] as const).map((value) => ({
            value,
            label: webhooks.shown[value],
          }))}
          onChange={setShown}
        />
      </div>
      <List key={query} path={path} query={query} />
    </section>
  );
}

function List({ path, query }: { path: string; query: string }) {
  const { webhooks } = tell();
  const { answer, setAnswer, failed, load, refresh } = useFetched<Page>(
    `${path}/deliveries${query}`,
  );
  const [fault, setFault] = useState<string | null>(null);
  if (failed) return <LoadFailed again={load} />;

  async function replay(delivery: Delivery) {
    setFault(null);
    try {
      const changed = await call<Delivery>("POST", `${path}/deliveries/${delivery.id}/replay`);
      setAnswer(
        (page) =>
          page && {
            ...page,
            data: page.data.map((one) => (one.id === changed.id ? changed : one)),
          },
      );
      setTimeout(refresh, SETTLES);
    } catch (problem) {
      setFault(explain(problem));
    }
  }
  async function more(cursor: string) {
    const address = `${path}/deliveries${query}${query ? "&" : "?"}cursor=${cursor}`;
    try {
      const next = await call<Page>("GET", address);
      setAnswer((page) => ({ ...next, data: [...(page?.data ?? []), ...next.data] }));
    } catch (problem) {
      asProblem(problem);
      setFault(tell().load_failed);
    }
  }
  if (answer && !answer.data.length) return <p class="quiet">{webhooks.no_deliveries}</p>;
  return (
    <>
      <ul class="lines deliveries" aria-busy={!answer}>
        {answer?.data.map((delivery) => (
          <Row key={delivery.id} delivery={delivery} onReplay={() => replay(delivery)} />
        ))}
      </ul>
      {fault && (
        <p class="fault" role="alert">
          <Icon name="alert" />
          {fault}
        </p>
      )}
      <div class="actions">
        {answer?.next_cursor && (
          <Button onClick={() => more(answer.next_cursor ?? "")}>{webhooks.more}</Button>
        )}
        <IconButton icon="reopen" label={webhooks.refresh} onClick={refresh} />
      </div>
    </>
  );
}

const TONES = { done: "good", dead: "late", waiting: "soon" } as const;
const ENDED: DeliveryState[] = ["done", "dead", "gone"];

function Row({ delivery, onReplay }: { delivery: Delivery; onReplay: () => void }) {
  const { webhooks } = tell();
  const { state, type, result, attempts, due_at } = delivery;
  const now = Date.now();
  const tone = state in TONES ? TONES[state as keyof typeof TONES] : undefined;
  const told = [
    result && `${sayResult(result, webhooks)}`,
    result?.milliseconds !== undefined && sayDuration(result.milliseconds, language.value),
    attempts > 0 && webhooks.attempts(attempts),
    due_at && due_at > now && webhooks.again_at(sayMoment(due_at, now, language.value)),
  ].filter(Boolean);
  return (
    <li>
      <Tag tone={tone}>{webhooks.states[state]}</Tag>
      <div class="grow">
        <a href={conversationPath(delivery.conversation)}>{webhooks.types[type] ?? type}</a>
        <p class="quiet">
          {sayMoment(delivery.created_at, now, language.value)}
          {told.map((each) => ` · ${each}`)}
        </p>
        <code class="cut quiet">{delivery.id}</code>
      </div>
      {ENDED.includes(state) && state !== "gone" && (
        <Button size="small" onClick={onReplay}>
          {webhooks.replay}
        </Button>
      )}
    </li>
  );
}
