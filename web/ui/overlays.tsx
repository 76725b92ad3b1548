import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { IconButton } from "./buttons";

interface DialogProps {
  title: string;
  closeWord: string;
  wide?: boolean;
  onClose: () => void;
  children: ComponentChildren;
}

/** A native modal dialog: it holds the focus, Escape closes it, and the focus goes back to where it came from. */
export function Dialog({ title, closeWord, wide, onClose, children }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useLayoutEffect(() => {
    const from = document.activeElement;
    box.current?.showModal();
    return () => from instanceof HTMLElement && from.isConnected && from.focus();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a press beside it closes it, as Escape does already
    <dialog
      ref={box}
      class={wide ? "dialog wide" : "dialog"}
      aria-labelledby={heading}
      onClose={onClose}
      onClick={(event) => event.target === box.current && box.current?.close()}
    >
      <header>
        <h2 id={heading}>{title}</h2>
        <IconButton icon="close" label={closeWord} onClick={() => box.current?.close()} />
      </header>
      {children}
    </dialog>
  );
}

interface MenuProps {
  label: string;
  /** What opens it; the menu is placed beside it. */
  anchor: () => HTMLElement | null;
  onClose: () => void;
  children: ComponentChildren;
}

/** A native popover with the keys of a menu: arrows, Home, End; Escape and a press outside close it. */
export function Menu({ label, anchor, onClose, children }: MenuProps) {
  const box = useRef<HTMLDivElement>(null);
  // Before the next key: who types on at once, types into the menu.
  useLayoutEffect(() => {
    const menu = box.current;
    if (!menu) return;
    const from = anchor() ?? document.activeElement;
    menu.showPopover();
    placeBeside(menu, anchor());
    itemsOf(menu)[0]?.focus();
    return () => giveFocusBack(from);
  }, []);
  return (
    <div
      ref={box}
      class="menu"
      popover="auto"
      role="menu"
      aria-label={label}
      onKeyDown={(event) => walk(event, box.current)}
      onBeforeToggle={(event) => event.newState === "closed" && onClose()}
    >
      {children}
    </div>
  );
}

const MARGIN = 8;

/** Below what opened it or, where that does not fit, above; never outside the window. */
function placeBeside(menu: HTMLElement, anchor: HTMLElement | null) {
  if (!anchor) return;
  const from = anchor.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = from.bottom + 4;
  const fits = below + height + MARGIN <= innerHeight;
  const top = fits ? below : from.top - height - 4;
  const left = from.left + width + MARGIN <= innerWidth ? from.left : from.right - width;
  menu.style.top = `${clamp(top, MARGIN, innerHeight - height - MARGIN)}px`;
  menu.style.left = `${clamp(left, MARGIN, innerWidth - width - MARGIN)}px`;
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, high));
}

function itemsOf(menu: HTMLElement): HTMLElement[] {
  return [...menu.querySelectorAll<HTMLElement>("[role^='menuitem']:not([disabled]), input")];
}

function walk(event: KeyboardEvent, menu: HTMLElement | null) {
  if (!menu) return;
  const items = itemsOf(menu);
  const here = items.indexOf(document.activeElement as HTMLElement);
  const next = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: -1 }[event.key];
  event.stopPropagation();
  if (event.key === "Tab") menu.hidePopover();
  if (next === undefined || (event.target instanceof HTMLInputElement && isHomeOrEnd(event.key)))
    return;
  event.preventDefault();
  items.at(next % items.length)?.focus();
}

function isHomeOrEnd(key: string): boolean {
  return key === "Home" || key === "End";
}

/** Only when nothing else has asked for it meanwhile. */
function giveFocusBack(from: Element | null) {
  const lost = document.activeElement === document.body || document.activeElement === null;
  if (lost && from instanceof HTMLElement) from.focus();
}
