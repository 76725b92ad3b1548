/** How large a file is, worded alike for visitor and agent; number and unit stay on one line. */
export function saySize(bytes: number, locale: string): string {
  const [amount, unit] =
    bytes < 999_500 ? [Math.max(1, bytes / 1_000), "kB"] : [bytes / 1_000_000, "MB"];
  const digits = unit === "MB" && amount < 10 ? 1 : 0;
  return `${amount.toLocaleString(locale, { maximumFractionDigits: digits })}\u00a0${unit}`;
}
