import type { Row } from "../../protocol/types";
import { Icon, type IconName } from "../../ui/icons";
import { Menu } from "../../ui/overlays";
import { closeConversation, putBack, reopen, take } from "../state/acts";
import { me, say } from "../state/me";
import { closeSheet, openSheet } from "../state/sheets";
import { cardShown } from "./Inbox";

interface RowMenuProps {
  row: Row;
  anchor: () => HTMLElement | null;
}

/** Everything that can be done with this conversation. */
export function MoreMenu({ row, anchor }: RowMenuProps) {
  const { header } = say();
  const ours = row.agent?.id === me.value?.agent.id;
  const open = row.status === "open";
  return (
    <Menu label={header.more} anchor={anchor} onClose={() => closeSheet("more")}>
      <Act icon="tag" text={header.labels} act={() => openSheet("labels")} />
      {open && <Act icon="hand" text={header.hand_over} act={() => openSheet("hand")} />}
      {open && ours && <Act icon="undo" text={header.release} act={() => putBack(row.id)} />}
      {open && !ours && (
        <Act
          icon="inbox"
          text={row.agent ? header.take_over : header.take}
          act={() => take(row.id)}
        />
      )}
      <Act
        icon="panel"
        text={header.visitor}
        act={() => {
          cardShown.value = !cardShown.value;
        }}
      />
      <hr />
      {open ? (
        <Act icon="check" text={header.close} act={() => closeConversation(row.id)} />
      ) : (
        <Act icon="reopen" text={header.reopen} act={() => reopen(row.id)} />
      )}
    </Menu>
  );
}

function Act({ icon, text, act }: { icon: IconName; text: string; act: () => unknown }) {
  return (
    <button
      type="button"
      role="menuitem"
      class="item"
      onClick={() => {
        closeSheet("more");
        act();
      }}
    >
      <Icon name={icon} />
      {text}
    </button>
  );
}
