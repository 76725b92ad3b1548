import { useEffect, useState } from "preact/hooks";
import type { Row } from "../../protocol/types";
import { Button, IconButton } from "../../ui/buttons";
import { Face } from "../../ui/Face";
import { sayLanguage, sayMoment, sayTimeThere } from "../../ui/intl";
import { Tag } from "../../ui/marks";
import { cardShown } from "../inbox/Inbox";
import { asProblem, call } from "../state/api";
import { onEvents, status } from "../state/link";
import { isAdministrator, language, say } from "../state/me";
import { hostOf, nameOf } from "../state/people";
import { conversationPath } from "../state/route";
import { siteName } from "../state/sites";
import { second } from "../state/time";
import { type Known, learn, visitorOf } from "./known";
import { PagePath } from "./PagePath";
import { WhatPageTold } from "./WhatPageTold";
import { WholePerson } from "./WholePerson";

/** Who this is, as far as we know and may know. */
export function VisitorCard({ row, shown }: { row: Row; shown: boolean }) {
  const { known, failed, load } = useKnown(row);
  const { card, close, again } = say();
  return (
    <aside id="visitor-card" class={shown ? "visitor shown" : "visitor"} aria-label={say().visitor}>
      <IconButton
        class="visitor-close"
        icon="close"
        label={close}
        onClick={() => {
          cardShown.value = false;
        }}
      />
      <Identity row={row} />
      {failed && (
        <div class="part" role="alert">
          <p>{card.failed}</p>
          <Button size="small" onClick={load}>
            {again}
          </Button>
        </div>
      )}
      <PagePath row={row} known={known} />
      <WhatPageTold known={known} />
      <Earlier row={row} known={known} />
      <Facts row={row} known={known} />
    </aside>
  );
}

function useKnown(row: Row) {
  const [known, setKnown] = useState<Known | null>(null);
  const [failed, setFailed] = useState(false);
  const load = () => {
    setFailed(false);
    call<Known>("GET", `/conversations/${row.id}/visitor`).then(setKnown, (fault) => {
      asProblem(fault);
      setFailed(true);
    });
  };
  useEffect(load, [row.id, row.visitor.verified]);
  useEffect(
    () =>
      onEvents((id, events) => {
        if (id !== row.id) return;
        setKnown((now) => now && events.reduce(learn, now));
      }),
    [row.id],
  );
  return { known, failed, load };
}

function Identity({ row }: { row: Row }) {
  const { card } = say();
  const { name, email, verified } = row.visitor;
  return (
    <header class="part identity">
      <Face
        name={name}
        id={row.visitor.id}
        size={40}
        presence={row.visitor.online && status.value === "live" ? "available" : "offline"}
      />
      <div class="grow">
        <h2 class="cut">{nameOf(row)}</h2>
        {email && name && <p class="cut quiet">{email}</p>}
      </div>
      {isAdministrator.value && <WholePerson row={row} />}
      <p class="tags">
        {verified && (
          <Tag tone="good" icon="verified">
            {card.verified}
          </Tag>
        )}
        {!verified && (name || email) && (
          <span title={card.unverified_hint}>
            <Tag tone="soon">{card.unverified}</Tag>
          </span>
        )}
        {row.tags?.map((tag) => (
          <Tag key={tag} icon="tag">
            {tag}
          </Tag>
        ))}
      </p>
    </header>
  );
}

/** Somebody who only says who he is, opens no history. */
function Earlier({ row, known }: { row: Row; known: Known | null }) {
  const { card, you } = say();
  const claims = !row.visitor.verified && (row.visitor.name || row.visitor.email);
  const earlier = known?.conversations ?? [];
  return (
    <section class="part">
      <h3>{card.earlier}</h3>
      {known && !earlier.length && (
        <p class="quiet">{claims ? card.hidden_earlier : card.none_earlier}</p>
      )}
      <ul class="earlier">
        {earlier.map((one) => (
          <li key={one.id}>
            <a class="cut" href={conversationPath(one.id)}>
              {one.preview || sayMoment(one.started_at, second.value, language.value)}
            </a>
            <span class="quiet">
              {[
                one.agent?.name.split(" ")[0] ?? "",
                sayMoment(one.started_at, second.value, language.value),
              ]
                .filter(Boolean)
                .join(" · ") || you}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Facts({ row, known }: { row: Row; known: Known | null }) {
  const { card } = say();
  const visitor = visitorOf(known);
  const facts: [string, string | undefined][] = [
    [card.site, siteName(row.site)],
    [card.device, deviceOf(known)],
    [card.local_time, known?.time_zone && timeThere(known.time_zone)],
    [
      card.language,
      (known?.language ?? row.language) &&
        sayLanguage(known?.language ?? row.language ?? "", language.value),
    ],
    [card.came_from, known?.referrer ? hostOf(known.referrer) : undefined],
    [card.began, sayMoment(row.started_at, second.value, language.value)],
    [card.customer, visitor?.external_id ?? undefined],
    [card.rating, row.rating ? say().scores[row.rating - 1] : undefined],
  ];
  return (
    <section class="part">
      <dl class="facts">
        {facts
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd class="cut" title={value}>
                {value}
              </dd>
            </div>
          ))}
      </dl>
    </section>
  );
}

function deviceOf(known: Known | null): string | undefined {
  const device = known?.device;
  if (!device) return undefined;
  const kind = device.kind ? (say().card.kinds[device.kind] ?? device.kind) : "";
  return [kind, device.system, device.browser].filter(Boolean).join(" · ");
}

function timeThere(zone: string): string | undefined {
  const time = sayTimeThere(second.value, zone, language.value);
  return time && `${time} · ${zone.split("/").at(-1)?.replaceAll("_", " ")}`;
}
