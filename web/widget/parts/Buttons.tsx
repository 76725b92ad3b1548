import { boot, say } from "../boot";
import { leave } from "../state";
import { Icon, type IconName } from "./Icon";

export function IconButton(props: {
  icon: IconName;
  label: string;
  onClick(): void;
  expanded?: boolean;
}) {
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={props.label}
      aria-expanded={props.expanded}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
    </button>
  );
}

/** In a page of its own there is nothing to close. */
export const CloseButton = () =>
  boot.hosted ? null : <IconButton icon="x" label={say("close")} onClick={leave} />;
