import { useSignal, useSignalEffect } from "@preact/signals";
import { say } from "../boot";
import { lacking, online, shown, status, stoppedBy } from "../state";
import { Icon } from "./Icon";

const GRACE = 2_000;

/** Says that the connection is gone, but not for a moment's hitch. */
export function Banner() {
  const late = useSignal(false);
  useSignalEffect(() => {
    const gone = shown.value && status.value !== "live" && status.value !== "idle";
    if (!gone) {
      late.value = false;
      return;
    }
    const timer = setTimeout(() => {
      late.value = true;
    }, GRACE);
    return () => clearTimeout(timer);
  });
  const stopped = stoppedBy.value > 0;
  const words = stopped
    ? "noChat"
    : !online.value
      ? "offline"
      : late.value || lacking.value
        ? "broken"
        : undefined;
  return (
    <div role="status">
      {words && (
        <p class="banner">
          <Icon name={stopped ? "alert" : "cut"} />
          <span>
            <b>{say(words)}</b> {say(`${words}Line`)}
          </span>
        </p>
      )}
    </div>
  );
}
