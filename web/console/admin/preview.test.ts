import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const COLOURS = read("../../widget/styles/colours.css");
const SAMPLE = read("./styles/preview.css");
const NAMES = {
  "--sample-paper": "--paper",
  "--sample-surface": "--surface",
  "--sample-sunken": "--sunken",
  "--sample-line": "--hairline",
  "--sample-ink": "--ink",
  "--sample-ink-2": "--ink-2",
  "--sample-field": "--field",
  "--sample-ring": "--ring",
  "--sample-track": "--track",
  "--face-l": "--face-l",
  "--face-ink-l": "--face-ink-l",
};

/** What the first rule after `start` gives this property. */
function given(styles: string, start: string, name: string): string | undefined {
  const [rule = ""] = styles.slice(styles.indexOf(start)).split("}");
  return new RegExp(`[\\s{]${name}: ([^;]+);`).exec(rule)?.[1];
}

it.each([
  [".page-sample.light {", ":root {"],
  [".page-sample.dark {", "@media (prefers-color-scheme: dark)"],
])("wears the panel's colours in %s", (sample, panel) => {
  for (const [own, theirs] of Object.entries(NAMES)) {
    const value = given(COLOURS, panel, theirs);
    expect(value, theirs).toBeTruthy();
    expect(given(SAMPLE, sample, own), own).toBe(value);
  }
});
