import type { Row } from "../../protocol/types";
import { sayTime } from "../../ui/intl";
import { language, say } from "../state/me";
import { placeOf } from "../state/people";
import type { Known, Seen } from "./known";

const SHOWN = 6;

/** Where the visitor is, and the way he came since the chat began. */
export function PagePath({ row, known }: { row: Row; known: Known | null }) {
  const { card } = say();
  const pages = pathOf(row, known);
  return (
    <section class="part">
      <h3>
        {row.visitor.online ? card.now : card.last_seen} <span class="aside">{card.since}</span>
      </h3>
      {!pages.length && <p class="quiet">{card.no_pages}</p>}
      <ol class="path">
        {pages.slice(0, SHOWN).map((page, index) => (
          <li key={`${page.at} ${page.url}`} class={index === 0 && row.visitor.online ? "now" : ""}>
            <PageName page={page} />
            {page.at && <span class="quiet">{sayTime(page.at, language.value)}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function pathOf(row: Row, known: Known | null): Seen[] {
  const seen = known?.pages.length
    ? known.pages
    : [known?.page ?? row.page].filter((page) => page != null);
  return seen.filter((page, index) => page.url !== seen[index - 1]?.url);
}

/** An address came from a stranger's browser: only what a browser opens harmlessly becomes a link. */
function PageName({ page }: { page: Seen }) {
  const name = page.title || placeOf(page.url);
  if (!/^https?:\/\//i.test(page.url)) return <span class="cut">{name}</span>;
  return (
    <a class="cut" href={page.url} target="_blank" rel="noopener noreferrer" title={page.url}>
      {name}
    </a>
  );
}
