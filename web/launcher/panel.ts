// balie-panel.js: the panel's frame on somebody else's page, loaded when somebody is about to use it.

import { agree, type Known, type Shelf } from "../protocol/agree";
import { icon, make } from "./element";
import type { Calls, core as Core } from "./main";
import STYLES from "./panel.css?inline";

const PHONE = 480;
const CROSS = "M18 6 6 18M6 6l12 12";
/** Close; one and more unread messages; who wrote. */
const TEXTS = {
  nl: ["Chat sluiten", "1 ongelezen bericht", "{} ongelezen berichten", "{} schreef"],
  en: ["Close chat", "1 unread message", "{} unread messages", "{} wrote"],
} as const;

/** Browsers may forbid it to the page as well: then nothing is remembered, and all else goes on. */
function storage(
  name: "localStorage" | "sessionStorage",
): Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  const none = { getItem: () => null, setItem() {}, removeItem() {} };
  try {
    // Some hold nothing there instead.
    return window[name] ?? none;
  } catch {
    return none;
  }
}

export function attach(core: typeof Core, calls: Calls): void {
  const { origin, settings, emit } = core;
  const launcher = core.launcher as NonNullable<typeof core.launcher>;
  const frame = make("iframe");
  const panel = make("section", frame);
  const status = make("p");
  const key = core.key();
  const kept = `${key}.kept.`;
  const local = storage("localStorage");
  const session = storage("sessionStorage");
  /** What the panel is to hear once it listens: the last of each kind, and every event. */
  let told: Record<string, unknown> = {};
  let tracked: unknown[] = [];
  let ready = false;
  let attributes = {};
  let isOpen = false;
  let unread = 0;
  let writer = "";
  let unlock: (() => void) | undefined;

  status.role = "status";
  panel.role = "dialog";
  panel.ariaLabel = frame.title = "Chat";
  frame.src = `${origin}/widget/${settings.site}?language=${encodeURIComponent(core.language())}`;
  launcher.dress(STYLES);
  launcher.box.append(panel, status);
  launcher.finish = finish;
  launcher.addEventListener("keydown", (event) => event.key === "Escape" && close());
  frame.addEventListener("load", () => tell("hello", seen()));
  addEventListener("message", heard);
  addEventListener("storage", elsewhere);
  if (session.getItem(key) && !isPhone()) setTimeout(open, 0, false);

  function seen() {
    return { url: location.href, title: document.title, referrer: document.referrer };
  }

  function isPhone() {
    return innerWidth < PHONE;
  }

  /** What the panel could not keep itself, because its browser forbids that to frames. Each thing has a place
   * of its own, so that tabs that keep something at once do not undo each other. */
  function recall(): Record<string, string> {
    const names = Object.keys(local).filter((name) => name.startsWith(kept));
    return Object.fromEntries(
      names.map((name) => [name.slice(kept.length), local.getItem(name) ?? ""]),
    );
  }

  function keep({ name, value }: { name: string; value?: string }) {
    if (value === undefined) local.removeItem(kept + name);
    else local.setItem(kept + name, value);
  }

  /** Another tab kept something. */
  function elsewhere({ key: name, newValue }: StorageEvent) {
    if (ready && name?.startsWith(kept))
      tell("changed", { name: name.slice(kept.length), value: newValue ?? undefined });
  }

  /** The visitor of this browser, as far as it is the page that keeps him. */
  const shelf: Shelf = {
    get() {
      const { visitor, token } = recall();
      return token ? { id: visitor ?? "", token } : undefined;
    },
    set({ id, token }) {
      keep({ name: "token", value: token });
      keep({ name: "visitor", value: id });
    },
  };

  function tell(type: string, value?: unknown) {
    if (ready || type === "hello") frame.contentWindow?.postMessage({ balie: type, value }, origin);
    else told[type] = value;
  }

  function open(focus = true) {
    if (isOpen) return;
    turn(true);
    if (isPhone()) unlock = lock();
    if (focus) frame.focus();
    tell("page", seen());
    tell("open", { focus, full: isPhone() });
    session.setItem(key, "open");
    emit("open");
  }

  function close() {
    if (!isOpen) return;
    turn(false);
    unlock?.();
    unlock = undefined;
    delete told.open;
    tell("close");
    session.removeItem(key);
    // The button may have been hidden under the panel: it takes the focus once it is drawn.
    requestAnimationFrame(() => launcher.button.focus());
    emit("close");
  }

  function turn(now: boolean) {
    isOpen = now;
    redraw();
  }

  function redraw() {
    if (launcher.state) launcher.draw(launcher.state, launcher.lang, origin);
  }

  /** What an open panel and unread messages change on the button. */
  function finish() {
    const { box, button } = launcher;
    const [shut, one, many, wrote] = TEXTS[launcher.lang.startsWith("nl") ? "nl" : "en"];
    const full = isOpen && isPhone();
    const count = unread === 1 ? one : many.replace("{}", `${unread}`);
    const said = button.querySelector("a");
    box.classList.toggle("open", isOpen);
    box.classList.toggle("full", full);
    box.classList.toggle("unread", unread > 0);
    panel.ariaModal = `${full}`;
    button.ariaExpanded = `${isOpen}`;
    if (isOpen) {
      button.ariaLabel = shut;
      button.replaceChildren(icon(CROSS));
      box.classList.remove("here");
    } else if (unread) {
      button.ariaLabel += `, ${count}`;
      button.append(make("i", `${unread}`));
      if (said && writer) said.textContent = wrote.replace("{}", writer);
    }
    status.textContent = unread && !isOpen ? count : "";
  }

  /** On a phone the page behind holds still, and Back closes the panel. Returns what undoes that. */
  function lock(): () => void {
    const { style } = document.documentElement;
    const { overflow } = style;
    const top = scrollY;
    const { body } = document;
    const { inert } = body;
    const view = visualViewport;
    let ours = true;
    const follow = () => {
      panel.style.top = view ? `${view.offsetTop}px` : "";
      panel.style.height = view ? `${view.height}px` : "";
    };
    const back = () => {
      ours = false;
      close();
    };
    style.overflow = "hidden";
    body.inert = true;
    history.pushState(history.state, "");
    addEventListener("popstate", back);
    view?.addEventListener("resize", follow);
    view?.addEventListener("scroll", follow);
    follow();
    return () => {
      removeEventListener("popstate", back);
      view?.removeEventListener("resize", follow);
      view?.removeEventListener("scroll", follow);
      panel.removeAttribute("style");
      body.inert = inert;
      style.overflow = overflow;
      scrollTo({ top, behavior: "instant" });
      if (ours) history.back();
    };
  }

  function heard({ source, origin: from, data }: MessageEvent) {
    if (source !== frame.contentWindow || from !== origin) return;
    const { balie, value } = data ?? {};
    if (balie === "ready") {
      ready = true;
      tell("kept", recall());
      for (const type of Object.keys(told)) tell(type, told[type]);
      told = {};
      for (const event of tracked) tell("track", event);
      tracked = [];
    } else if (balie === "close") close();
    else if (balie === "unread") badge(Number(value?.count) || 0, `${value?.name ?? ""}`);
    else if (balie === "live" && value) local.setItem(key, "live");
    else if (balie === "live") local.removeItem(key);
    else if (balie === "keep") keep(value);
    else if (balie === "agree")
      agree(`${key}:`, value as Known, shelf).then((known) => tell("agreed", known));
    else if (balie === "event") emit(`${value?.name}`, value?.detail);
  }

  function badge(count: number, name: string) {
    unread = count;
    writer = name;
    redraw();
    document.title = `${count ? `(${count}) ` : ""}${document.title.replace(/^\(\d+\) /, "")}`;
    emit("unread", count);
  }

  const own: Calls = {
    open: () => open(),
    close,
    toggle: () => (isOpen ? close() : open()),
    identify: (who) => tell("identify", who),
    set(given) {
      Object.assign(settings, given);
      attributes = { ...attributes, ...(given as object) };
      tell("set", attributes);
    },
    pageView: (page) => tell("page", { ...seen(), ...(page as object) }),
    track(name, detail) {
      if (ready) tell("track", { name, detail });
      else tracked.push({ name, detail });
    },
    shutdown() {
      close();
      badge(0, "");
      tell("shutdown");
      local.removeItem(key);
      for (const name of Object.keys(recall())) keep({ name });
      removeEventListener("message", heard);
      removeEventListener("storage", elsewhere);
      for (const name of Object.keys(own)) delete calls[name];
      // The panel gets a moment to forget what it kept.
      launcher.hidden = true;
      core.launcher = undefined;
      setTimeout(() => launcher.remove(), 500);
      core.stop();
    },
  };
  Object.assign(calls, own);
}
