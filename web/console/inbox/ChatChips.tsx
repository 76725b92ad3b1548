import { findRow, ours } from "../state/inbox";
import { say } from "../state/me";
import { nameOf } from "../state/people";
import { conversationPath } from "../state/route";
import { VisitorFace } from "./VisitorFace";

/** On a phone: the faces of all your chats, so that nobody is out of sight. */
export function ChatChips({ current }: { current: string }) {
  const ids = ours.value.includes(current) ? ours.value : [current, ...ours.value];
  if (ids.length < 2) return null;
  return (
    <nav class="chips" aria-label={say().inbox.title}>
      {ids.map((id) => {
        const row = findRow(id)?.value;
        return (
          row && (
            <a
              key={id}
              href={conversationPath(id)}
              aria-current={id === current ? "true" : undefined}
              aria-label={[nameOf(row), row.unread ? say().inbox.unread(row.unread) : ""]
                .filter(Boolean)
                .join(", ")}
            >
              <VisitorFace row={row} />
              {row.unread > 0 && <i class="unread-dot" />}
            </a>
          )
        );
      })}
    </nav>
  );
}
