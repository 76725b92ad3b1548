import type { Row } from "../../protocol/types";
import { Button } from "../../ui/buttons";
import { Strip } from "../../ui/marks";
import { typers } from "../state/link";
import { me, say } from "../state/me";
import { firstNameOf } from "../state/people";
import type { Unread } from "./useFresh";

interface StripsProps {
  row: Row;
  unread: Unread;
  readFirst: () => void;
  tooMany: boolean;
}

/** What the writer should know before he sends. */
export function Strips({ row, unread, readFirst, tooMany }: StripsProps) {
  const { composer } = say();
  const colleague = typers.value[row.id]?.find(
    (typer) => typer.kind === "agent" && typer.id !== me.value?.agent.id,
  );
  return (
    <>
      {unread !== "nothing" && (
        <Strip tone={unread === "held" ? undefined : "accent"} icon="new" role="status">
          <span class="grow">
            {unread === "held" ? composer.not_sent : composer.new_while(firstNameOf(row))}
          </span>
          <Button kind="plain" size="small" class="lead" onClick={readFirst}>
            {composer.read_first}
          </Button>
        </Strip>
      )}
      {colleague && (
        <Strip tone="accent" icon="person" role="status">
          {composer.colleague_typing(colleague.name ?? say().thread.someone)}
        </Strip>
      )}
      {row.status === "closed" && <Strip tone="accent">{composer.closed}</Strip>}
      {tooMany && (
        <Strip tone="late" icon="alert" role="alert">
          {composer.too_many_files}
        </Strip>
      )}
    </>
  );
}
