import { useEffect, useState } from "preact/hooks";
import type { Row } from "../../protocol/types";
import { Icon } from "../../ui/icons";
import { Menu } from "../../ui/overlays";
import { setTag } from "../state/acts";
import { asProblem, call, type Page } from "../state/api";
import { say } from "../state/me";
import { closeSheet } from "../state/sheets";

const LONGEST = 50;

/** Labels in use, those of this conversation checked; what does not exist yet is made by typing it. */
export function LabelMenu({ row, anchor }: { row: Row; anchor: () => HTMLElement | null }) {
  const { labels } = say();
  const [inUse, setInUse] = useState<string[]>([]);
  const [typed, setTyped] = useState("");
  const own = row.tags ?? [];

  useEffect(() => {
    call<Page<string>>("GET", "/tags").then((page) => setInUse(page.data), asProblem);
  }, []);

  const all = [...new Set([...own, ...inUse])].sort((one, other) => one.localeCompare(other));
  const wanted = typed.trim();
  const found = all.filter((tag) => tag.toLowerCase().includes(wanted.toLowerCase()));

  function toggle(tag: string) {
    setTag(row.id, tag, !own.includes(tag));
    setTyped("");
  }

  return (
    <Menu label={labels.title} anchor={anchor} onClose={() => closeSheet("labels")}>
      <input
        class="input"
        maxLength={LONGEST}
        value={typed}
        placeholder={labels.add}
        aria-label={labels.add}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && wanted) toggle(wanted);
        }}
      />
      {!all.length && !wanted && <p class="heading">{labels.none}</p>}
      {found.map((tag) => (
        <button
          key={tag}
          type="button"
          role="menuitemcheckbox"
          aria-checked={own.includes(tag)}
          class="item"
          onClick={() => toggle(tag)}
        >
          <Icon name="tag" />
          <span class="cut">{tag}</span>
          {own.includes(tag) && <Icon name="check" class="end" />}
        </button>
      ))}
      {wanted && !all.includes(wanted) && (
        <button type="button" role="menuitem" class="item" onClick={() => toggle(wanted)}>
          <Icon name="plus" />
          {labels.create(wanted)}
        </button>
      )}
    </Menu>
  );
}
