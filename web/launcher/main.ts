// balie.js: one state request, and a button when the answer is there. All else comes when it is wanted.

import { BalieLauncher } from "./element";
import type { attach } from "./panel";

declare global {
  interface Window {
    Balie?: Stub;
  }
}
/** The address of the second script, below this one's; filled in by the build. */
declare const PANEL: string;

type Value = unknown;
type Stub = ((name: string, ...values: Value[]) => void) & { q?: Iterable<Value>[] };
export type Calls = Record<string, (...values: Value[]) => void>;
export type Settings = Record<string, string | undefined>;

const NAME = "balie-launcher";

const script = document.currentScript as HTMLScriptElement | null;
const origin = new URL(script?.src || location.href).origin;

/** What both scripts share. */
export const core = {
  origin,
  settings: { ...script?.dataset } as Settings,
  launcher: undefined as BalieLauncher | undefined,
  language: () => core.settings.language || document.documentElement.lang || navigator.language,
  emit: (name: string, detail?: Value) =>
    dispatchEvent(new CustomEvent(`balie:${name}`, { detail })),
  /** What outlives a page, once somebody talked: `live` here, `open` in this tab. */
  key: () => `balie.${core.settings.site}`,
  /** `boot` begins anew. */
  stop() {
    clearInterval(timer);
    loading = false;
  },
};

let checkedAt = 0;
let timer: ReturnType<typeof setInterval>;
let loading = false;
const waiting: [string, ...Value[]][] = [];

/** May chat show here, and who is there? Without an answer nothing shows; the next minute asks again. */
async function check(every: number) {
  const { launcher, settings } = core;
  if (!launcher || Date.now() - checkedAt < every) return;
  checkedAt = Date.now();
  try {
    const answer = await fetch(`${origin}/api/v1/sites/${settings.site}/state`);
    if (!answer.ok || launcher !== core.launcher) return;
    launcher.draw(await answer.json(), core.language(), origin);
    if (launcher.isConnected) return;
    // Not in the body, which pages transform, filter and replace.
    document.documentElement.append(launcher);
    core.emit("ready");
    // A conversation that lives goes on over pages, and so does a panel that stood open.
    if (localStorage.getItem(core.key()) || sessionStorage.getItem(core.key())) load();
  } catch {}
}

/** The second script knows how to open, and does what was called before it came. */
async function load() {
  if (loading) return;
  loading = true;
  try {
    const panel: { attach: typeof attach } = await import(origin + PANEL);
    panel.attach(core, calls);
    for (const early of waiting.splice(0)) call(...early);
  } catch {
    loading = false;
  }
}

const calls: Calls = {
  boot(given) {
    Object.assign(core.settings, given);
    if (core.launcher || !core.settings.site) return;
    const launcher = document.createElement(NAME) as BalieLauncher;
    const near = () => {
      check(5_000);
      load();
    };
    core.launcher = launcher;
    launcher.style.zIndex = core.settings.zIndex as string;
    launcher.button.onpointerenter = launcher.button.onfocus = near;
    // Twice in a row is once, and so is what is clicked again because nothing happened yet.
    launcher.button.onclick = (event) => {
      check(0);
      if (event.detail < 2) call(calls.toggle ? "toggle" : "open");
    };
    timer = setInterval(() => document.hidden || check(59e3), 6e4);
    check(0);
  },
  show: (hidden = false) => core.launcher?.button.toggleAttribute("hidden", hidden as boolean),
  hide() {
    call("close");
    call("show", true);
  },
  on: (name, handler) => addEventListener(`balie:${name}`, handler as EventListener),
  off: (name, handler) => removeEventListener(`balie:${name}`, handler as EventListener),
};

function call(name: string, ...values: Value[]) {
  const known = calls[name];
  if (known) return known(...values);
  waiting.push([name, ...values]);
  if (/open|shut/.test(name)) load();
}

if (!customElements.get(NAME)) {
  const early = window.Balie?.q || [];
  customElements.define(NAME, BalieLauncher);
  window.Balie = call;
  if (core.settings.site) call("boot");
  for (const values of early) call(...(values as [string]));
}
