// The launcher's button on a shop's page: vanilla, alone in its shadow root.

import STYLES from "./launcher.css?inline";
import { textsOf } from "./texts";

export interface State {
  desk: { state: "here" | "away"; agents?: { name: string; picture?: string }[] };
  look: {
    shape: "bubble" | "tab" | "bar";
    position: "left" | "right";
    offset: number;
    accent: string;
    accent_ink: string;
  };
  texts?: Record<string, { label?: string }>;
  /** `hide`: no button while nobody is there. */
  when_away?: "message" | "hide";
}

const CHAT = "M21 12a9 9 0 1 0-16.8 4.5L3 21l4.5-1.2A9 9 0 0 0 21 12Z";
const MAIL = "M3 5h18v14H3Zm0 2 9 6 9-6";

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}

export function icon(path: string): Node {
  const [svg, line] = ["svg", "path"].map((name) =>
    document.createElementNS("http://www.w3.org/2000/svg", name),
  ) as unknown as [Element, Element];
  svg.setAttribute("viewBox", "0 0 24 24");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

export class BalieLauncher extends HTMLElement {
  button = make("button");
  box = make("div", this.button);
  root = this.attachShadow({ mode: "open" });
  declare state: State | undefined;
  /** Draws what the panel adds: a badge, a cross. */
  declare finish: (() => void) | undefined;

  constructor() {
    super();
    this.root.append(this.box);
    this.dress(STYLES);
  }

  /** Constructed style sheets pass a strict content security policy. */
  dress(styles: string): void {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    this.root.adoptedStyleSheets.push(sheet);
  }

  draw(state: State, language: string, origin: string): void {
    const { desk, look, texts } = state;
    const agent = desk.state === "here" && desk.agents?.[0];
    const [chat, message] = textsOf(language);
    const words = agent ? chat + agent.name.split(" ")[0] : message;
    this.state = state;
    this.lang = language;
    this.style.cssText += `;--accent:${look.accent};--ink:${look.accent_ink};--gap:${look.offset}px`;
    this.box.className = `${look.shape} ${look.position} ${agent && "here"} ${state.when_away}`;
    this.button.ariaLabel = words;
    this.button.replaceChildren(
      agent ? make("div", face(agent, origin), make("label", icon(CHAT))) : icon(MAIL),
      make("a", texts?.[language]?.label || words),
    );
    this.finish?.();
  }
}

function face(agent: { name: string; picture?: string }, origin: string): Node {
  if (!agent.picture) return make("b", agent.name[0] as string);
  const image = make("img");
  image.alt = "";
  image.src = origin + agent.picture;
  return image;
}
