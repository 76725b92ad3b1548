import type { Row } from "../../protocol/types";
import { typers } from "../state/link";
import { say } from "../state/me";
import { firstNameOf } from "../state/people";

/** Its height is always there, so that nothing jumps when somebody begins. */
export function TypingLine({ row }: { row: Row }) {
  const typing = typers.value[row.id]?.some((typer) => typer.kind === "visitor");
  return (
    <p class="typing">
      {typing && (
        <>
          <span class="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {say().thread.typing(firstNameOf(row))}
        </>
      )}
    </p>
  );
}
