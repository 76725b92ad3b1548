import { Button } from "../../ui/buttons";
import { sayTimeWithSeconds } from "../../ui/intl";
import { Strip } from "../../ui/marks";
import { lostSince, reconnect, retryAt, status } from "../state/link";
import { language, say } from "../state/me";
import { second, serverNow } from "../state/time";

/** A short break heals unseen. */
const PATIENCE = 1_500;

export function LostStrip() {
  const { lost } = say();
  if (status.value === "stopped") return <Stopped />;
  const since = lostSince.value;
  second.value;
  if (since === null || serverNow() - since < PATIENCE) return null;
  const wait = Math.ceil((retryAt.value - Date.now()) / 1000);
  return (
    <Strip icon="offline" role="status">
      <span class="grow">
        <b>{lost.since(sayTimeWithSeconds(since, language.value))}</b> {lost.calm}
      </span>
      {status.value === "waiting" && wait > 0 && <span aria-hidden="true">{lost.again(wait)}</span>}
      <Button size="small" onClick={reconnect}>
        {lost.now}
      </Button>
    </Strip>
  );
}

function Stopped() {
  const { lost } = say();
  return (
    <Strip icon="offline" role="alert">
      <span class="grow">{lost.stopped}</span>
      <Button size="small" onClick={() => location.reload()}>
        {lost.reload}
      </Button>
    </Strip>
  );
}
