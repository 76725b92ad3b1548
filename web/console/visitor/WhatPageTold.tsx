import { sayMoney, sayNumber, sayTime } from "../../ui/intl";
import { Tag } from "../../ui/marks";
import { language, say } from "../state/me";
import type { Known, Told } from "./known";
import { type Basket, type Item, readBasket, sayValue } from "./told";

const EVENTS_SHOWN = 6;
const ITEMS_SHOWN = 5;

/** Cart, order and whatever else the page tells. Its words are shown, never trusted, and nothing is fetched. */
export function WhatPageTold({ known }: { known: Known | null }) {
  const { card } = say();
  const attributes = Object.entries(known?.attributes ?? {});
  const events = known?.events ?? [];
  if (!attributes.length && !events.length) return null;
  const baskets = attributes.filter(([, value]) => readBasket(value));
  const others = attributes.filter(([, value]) => !readBasket(value));
  return (
    <section class="part told">
      <h3>
        {card.told.title}{" "}
        <span class="aside" title={card.told.hint}>
          <Tag tone="soon">{card.unverified}</Tag>
        </span>
      </h3>
      {baskets.map(([name, value]) => (
        <BasketView key={name} name={name} basket={readBasket(value) as Basket} />
      ))}
      {others.length > 0 && (
        <dl class="facts">
          {others.map(([name, value]) => (
            <Attribute key={name} name={name} value={value} />
          ))}
        </dl>
      )}
      {events.length > 0 && (
        <ol class="path">
          {events.slice(0, EVENTS_SHOWN).map((event, index) => (
            <Happened key={`${event.at} ${index}`} event={event} />
          ))}
        </ol>
      )}
    </section>
  );
}

function BasketView({ name, basket }: { name: string; basket: Basket }) {
  const { told } = say().card;
  const { items, total, currency, id } = basket;
  const title = { cart: told.cart, order: told.order }[name] ?? name;
  const more = items.length - ITEMS_SHOWN;
  return (
    <div class="basket">
      <h4>
        <bdi class="cut">{[title, id].filter(Boolean).join(" ")}</bdi>
        {total !== undefined && items.length !== 1 && <b class="aside">{money(total, currency)}</b>}
      </h4>
      {!items.length && <p class="quiet">{told.empty}</p>}
      <ul>
        {items.slice(0, ITEMS_SHOWN).map((item, index) => (
          <ItemLine key={`${item.name} ${index}`} item={item} currency={currency} />
        ))}
      </ul>
      {more > 0 && <p class="quiet">{told.more(more)}</p>}
    </div>
  );
}

function ItemLine({ item, currency }: { item: Item; currency: string }) {
  const { name, quantity, detail, price } = item;
  const count = quantity === 1 ? "" : `${sayNumber(quantity, language.value)} ×`;
  return (
    <li>
      <span class="grow">
        <bdi class="cut" title={name}>
          {name}
        </bdi>
        {(count || detail) && (
          <bdi class="cut quiet">{[count, detail].filter(Boolean).join(" ")}</bdi>
        )}
      </span>
      {price !== undefined && <span class="amount">{money(price, currency)}</span>}
    </li>
  );
}

function money(amount: number, currency: string): string {
  return sayMoney(amount, currency, language.value) ?? sayNumber(amount, language.value);
}

function Attribute({ name, value }: { name: string; value: unknown }) {
  const text = sayLine(value);
  return (
    <div>
      <dt class="cut" title={name}>
        <bdi>{name}</bdi>
      </dt>
      <dd class="cut" title={text}>
        <bdi>{text}</bdi>
      </dd>
    </div>
  );
}

function Happened({ event }: { event: Told }) {
  const detail = sayLine(event.detail);
  return (
    <li>
      <span class="cut" title={detail}>
        <bdi>{event.name}</bdi> {detail && <bdi class="quiet">{detail}</bdi>}
      </span>
      <span class="quiet">{sayTime(event.at, language.value)}</span>
    </li>
  );
}

function sayLine(value: unknown): string {
  const { yes, no } = say().card.told;
  return sayValue(value, { yes, no, number: (each) => sayNumber(each, language.value) });
}
