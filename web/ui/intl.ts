/** Formatters are dear to make and free to use again: one of each per language. */

const made = new Map<string, unknown>();

function once<Made>(key: string, make: () => Made): Made {
  if (!made.has(key)) made.set(key, make());
  return made.get(key) as Made;
}

function dates(language: string, name: string, options: Intl.DateTimeFormatOptions) {
  return once(`${name} ${language}`, () => new Intl.DateTimeFormat(language, options));
}

const TIME = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;

export function sayTime(at: number, language: string): string {
  return dates(language, "time", TIME).format(at);
}

export function sayTimeWithSeconds(at: number, language: string): string {
  return dates(language, "seconds", { ...TIME, second: "2-digit" }).format(at);
}

/** The time where somebody else is; undefined for a zone this browser does not know. */
export function sayTimeThere(at: number, zone: string, language: string): string | undefined {
  try {
    return dates(language, zone, { ...TIME, timeZone: zone }).format(at);
  } catch {
    return undefined;
  }
}

export function sayDay(at: number, language: string): string {
  return dates(language, "day", { weekday: "long", day: "numeric", month: "long" }).format(at);
}

/** Short: without the year when it is this year. */
export function sayDate(at: number, now: number, language: string): string {
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return sameYear
    ? dates(language, "date", { day: "numeric", month: "short" }).format(at)
    : dates(language, "month", { month: "short", year: "numeric" }).format(at);
}

export function isSameDay(one: number, other: number): boolean {
  return new Date(one).toDateString() === new Date(other).toDateString();
}

/** Today the time, else the date. */
export function sayMoment(at: number, now: number, language: string): string {
  return isSameDay(at, now) ? sayTime(at, language) : sayDate(at, now, language);
}

export function sayNumber(value: number, language: string): string {
  return once(`number ${language}`, () => new Intl.NumberFormat(language)).format(value);
}

/** `amount` in the smallest unit, such as cents; undefined for a currency that does not exist. */
export function sayMoney(amount: number, currency: string, language: string): string | undefined {
  try {
    const format = once(
      `money ${currency} ${language}`,
      () => new Intl.NumberFormat(language, { style: "currency", currency }),
    );
    return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
  } catch {
    return undefined;
  }
}

export function sayLanguage(tag: string, language: string): string {
  try {
    const names = once(
      `languages ${language}`,
      () => new Intl.DisplayNames(language, { type: "language" }),
    );
    return names.of(tag) ?? tag;
  } catch {
    return tag;
  }
}
