import { useState } from "preact/hooks";
import type { Row } from "../../protocol/types";
import { Button } from "../../ui/buttons";
import { Icon } from "../../ui/icons";
import { asProblem } from "../state/api";
import { say } from "../state/me";
import { askToErase, exportPerson } from "./person";

/** Who asks for his data, or wants to be forgotten, is helped from here. */
export function WholePerson({ row }: { row: Row }) {
  const { whole } = say().card;
  const [state, setState] = useState<"" | "working" | "failed">("");
  function download() {
    setState("working");
    exportPerson(row).then(
      () => setState(""),
      (fault) => {
        asProblem(fault);
        setState("failed");
      },
    );
  }
  return (
    <section class="part">
      <h3>{whole.title}</h3>
      <div class="actions">
        <Button size="small" aria-disabled={state === "working"} onClick={download}>
          <Icon name="download" />
          {whole.download}
        </Button>
        <Button size="small" kind="plain" onClick={() => askToErase(row)}>
          <Icon name="bin" />
          {whole.erase_short}
        </Button>
      </div>
      <p class="quiet" role="status">
        {state && whole[state]}
      </p>
    </section>
  );
}
