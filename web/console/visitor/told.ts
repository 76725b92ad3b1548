// What a page told, read as far as it can be understood. It came from a stranger's browser: any shape may come.

export interface Item {
  name: string;
  quantity: number;
  detail?: string;
  /** In the smallest unit of the currency, such as cents. */
  price?: number;
}

/** A cart or an order; see docs/widget.md. */
export interface Basket {
  id?: string;
  currency: string;
  total?: number;
  items: Item[];
}

type Fields = Record<string, unknown>;

/** Undefined for what has no list of named items. */
export function readBasket(value: unknown): Basket | undefined {
  if (!isObject(value) || !Array.isArray(value.items)) return undefined;
  const items = value.items.map(readItem);
  if (items.some((item) => item === undefined)) return undefined;
  const id = typeof value.id === "number" ? String(value.id) : value.id;
  return {
    currency: typeof value.currency === "string" ? value.currency : "",
    items: items as Item[],
    ...(isAmount(value.total) && { total: value.total }),
    ...(typeof id === "string" && id && { id }),
  };
}

function readItem(value: unknown): Item | undefined {
  if (!isObject(value) || typeof value.name !== "string" || !value.name) return undefined;
  return {
    name: value.name,
    quantity: isAmount(value.quantity) ? value.quantity : 1,
    ...(typeof value.detail === "string" && { detail: value.detail }),
    ...(isAmount(value.price) && { price: value.price }),
  };
}

interface Manners {
  yes: string;
  no: string;
  number: (value: number) => string;
}

/** Any JSON on one line. */
export function sayValue(value: unknown, manners: Manners): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? manners.yes : manners.no;
  if (typeof value === "number") return manners.number(value);
  if (typeof value === "string") return value;
  const inside = (each: unknown) => sayValue(each, manners);
  if (Array.isArray(value)) return value.map(inside).filter(Boolean).join(", ");
  return Object.entries(value as Fields)
    .map(([name, each]) => `${name}: ${inside(each)}`)
    .join(" · ");
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
