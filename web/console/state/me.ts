// Who sits here, and how he likes his console.

import { computed, effect, signal } from "@preact/signals";
import type { AgentSelf, Named } from "../../protocol/types";
import type { Words } from "../words/nl";
import { asProblem, call } from "./api";
import { forgetEverything, keepFor, readKept, writeKept } from "./kept";

export interface Settings {
  /** Single keys outside text fields. */
  single_keys: boolean;
  sound: boolean;
  notifications: boolean;
  /** Seconds in which a message can be taken back; 0 sends at once. */
  undo_seconds: number;
}

const DEFAULTS: Settings = {
  single_keys: true,
  sound: true,
  notifications: false,
  undo_seconds: 5,
};

export interface Signed {
  agent: AgentSelf & { settings?: Partial<Settings> };
  organisation: Named;
}

/** undefined: not known yet; null: signed out. */
export const me = signal<Signed | null | undefined>(undefined);
/** True when the server ended the session, so that the sign-in page can say so. */
export const ended = signal(false);

export const settings = computed<Settings>(() => ({ ...DEFAULTS, ...me.value?.agent.settings }));
export const isAdministrator = computed(() => {
  const role = me.value?.agent.role;
  return role === "owner" || role === "admin";
});

export async function recognise(): Promise<void> {
  const signed = await call<Signed | Record<string, never>>("GET", "/recognition");
  if ("agent" in signed) welcome(signed as Signed);
  else me.value = null;
}

export async function signIn(email: string, password: string): Promise<void> {
  welcome(await call<Signed>("POST", "/session", { email, password }));
  ended.value = false;
}

function welcome(signed: Signed): void {
  keepFor(signed.agent.id);
  me.value = signed;
}

/** Drafts and unsent words are this person's own: they go when he goes. */
export async function signOut(): Promise<void> {
  await call("DELETE", "/session").catch(asProblem);
  me.value = null;
  forgetEverything();
}

export function endSession(): void {
  if (me.value) ended.value = true;
  me.value = null;
}

export async function changeMe(change: Record<string, unknown>): Promise<void> {
  await call("PATCH", "/session/agent", change);
  const now = me.value;
  const { password: _, current_password: __, ...kept } = change;
  if (now) me.value = { ...now, agent: { ...now.agent, ...kept } };
}

/** How colleagues and visitors see oneself, changed here or elsewhere. */
export function changeLooks(name: string, picture: string | undefined): void {
  const now = me.peek();
  if (!now || (now.agent.name === name && now.agent.picture === picture)) return;
  const { picture: _, ...agent } = now.agent;
  me.value = { ...now, agent: { ...agent, name, ...(picture && { picture }) } };
}

export function changeSettings(change: Partial<Settings>): Promise<void> {
  return changeMe({ settings: { ...settings.value, ...change } });
}

// Language and theme.

export type Language = "nl" | "en";

const chosen = signal<Language | null>((readKept("language") as Language | null) ?? null);

export const language = computed<Language>(() =>
  asLanguage(me.value?.agent.language ?? chosen.value ?? navigator.language),
);

export function chooseLanguage(value: Language): void {
  chosen.value = value;
  writeKept("language", value);
}

function asLanguage(tag: string): Language {
  return tag.toLowerCase().startsWith("nl") ? "nl" : "en";
}

export const words = signal<Words | null>(null);

const LOADERS: Record<Language, () => Promise<Words>> = {
  nl: () => import("../words/nl").then((module) => module.nl),
  en: () => import("../words/en").then((module) => module.en),
};

effect(() => {
  const wanted = language.value;
  document.documentElement.lang = wanted;
  LOADERS[wanted]().then((loaded) => {
    if (wanted === language.peek()) words.value = loaded;
  });
});

/** The texts of this screen; only below the point where they are loaded. */
export function say(): Words {
  return words.value as Words;
}

export type Theme = "system" | "light" | "dark";

export const theme = signal<Theme>((readKept("theme") as Theme | null) ?? "system");
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
const dark = signal(systemIsDark.matches);
systemIsDark.addEventListener("change", (event) => {
  dark.value = event.matches;
});

effect(() => {
  const isDark = theme.value === "system" ? dark.value : theme.value === "dark";
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
});

export function chooseTheme(value: Theme): void {
  theme.value = value;
  writeKept("theme", value);
}
