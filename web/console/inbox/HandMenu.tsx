import type { AgentState, Row } from "../../protocol/types";
import { Face } from "../../ui/Face";
import { Icon } from "../../ui/icons";
import { Menu } from "../../ui/overlays";
import { assign, putBack } from "../state/acts";
import { colleagues } from "../state/link";
import { me, say } from "../state/me";
import { closeSheet } from "../state/sheets";

const RANK = { available: 0, away: 1, offline: 2 };

/** Colleagues, who can answer now first; and back to the queue. */
export function HandMenu({ row, anchor }: { row: Row; anchor: () => HTMLElement | null }) {
  const { hand, header } = say();
  const others = colleagues.value
    .filter((agent) => agent.id !== me.value?.agent.id && agent.id !== row.agent?.id)
    .sort(
      (one, other) => RANK[one.state] - RANK[other.state] || one.name.localeCompare(other.name),
    );
  return (
    <Menu label={hand.title} anchor={anchor} onClose={() => closeSheet("hand")}>
      <p class="heading">{hand.title}</p>
      {others.length === 0 && <p class="heading">{hand.nobody}</p>}
      {others.map((agent) => (
        <Colleague key={agent.id} agent={agent} row={row} />
      ))}
      {row.agent && (
        <>
          <hr />
          <button
            type="button"
            role="menuitem"
            class="item"
            onClick={() => {
              closeSheet("hand");
              putBack(row.id);
            }}
          >
            <Icon name="undo" />
            {header.release}
          </button>
        </>
      )}
    </Menu>
  );
}

function Colleague({ agent, row }: { agent: AgentState; row: Row }) {
  const { id, name, picture } = agent;
  return (
    <button
      type="button"
      role="menuitem"
      class="item"
      onClick={() => {
        closeSheet("hand");
        assign(row.id, picture ? { id, name, picture } : { id, name });
      }}
    >
      <Face name={name} picture={picture} size={24} presence={agent.state} />
      <span class="grow cut">{name}</span>
      <span class="quiet">{say().hand.states[agent.state]}</span>
    </button>
  );
}
