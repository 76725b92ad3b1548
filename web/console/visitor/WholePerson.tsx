import { useRef, useState } from "preact/hooks";
import type { Row } from "../../protocol/types";
import { IconButton } from "../../ui/buttons";
import { Icon } from "../../ui/icons";
import { Menu } from "../../ui/overlays";
import { asProblem } from "../state/api";
import { say } from "../state/me";
import { closeSheet, openSheet, sheet } from "../state/sheets";
import { askToErase, exportPerson } from "./person";

/** Who asks for his data, or wants to be forgotten, is helped from here: rarely, so behind a menu. */
export function WholePerson({ row }: { row: Row }) {
  const { whole } = say().card;
  const button = useRef<HTMLSpanElement>(null);
  const [state, setState] = useState<"" | "collecting" | "failed">("");
  function download() {
    setState("collecting");
    exportPerson(row).then(
      () => setState(""),
      (fault) => {
        asProblem(fault);
        setState("failed");
      },
    );
  }
  return (
    <>
      <span ref={button}>
        <IconButton
          icon="more"
          label={whole.title}
          aria-haspopup="menu"
          aria-expanded={sheet.value === "person"}
          onClick={() => openSheet("person")}
        />
      </span>
      {sheet.value === "person" && (
        <PersonMenu
          row={row}
          download={download}
          anchor={() => button.current?.querySelector("button") ?? null}
        />
      )}
      <p class={state ? "outcome quiet" : "aloud"} role="status">
        {state && whole[state]}
      </p>
    </>
  );
}

interface PersonMenuProps {
  row: Row;
  download: () => void;
  anchor: () => HTMLElement | null;
}

function PersonMenu({ row, download, anchor }: PersonMenuProps) {
  const { whole } = say().card;
  const close = () => closeSheet("person");
  return (
    <Menu label={whole.title} anchor={anchor} onClose={close}>
      <button
        type="button"
        role="menuitem"
        class="item"
        onClick={() => {
          close();
          download();
        }}
      >
        <Icon name="download" />
        {whole.export}
      </button>
      <hr />
      <button type="button" role="menuitem" class="item" onClick={() => askToErase(row)}>
        <Icon name="bin" />
        {whole.erase}
      </button>
    </Menu>
  );
}
