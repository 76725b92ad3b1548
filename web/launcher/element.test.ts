import { expect, test } from "vitest";
import { BalieLauncher, type State } from "./element";

customElements.define("balie-launcher", BalieLauncher);
const look = {
  shape: "bubble",
  position: "right",
  offset: 20,
  accent: "#274690",
  accent_ink: "#fff",
} as const;
const here: State = { desk: { state: "here", agents: [{ name: "Sanne de Wit" }] }, look };
const away: State = { desk: { state: "away", agents: [{ name: "Sanne de Wit" }] }, look };

function drawn(state: State, language: string) {
  const launcher = document.createElement("balie-launcher") as BalieLauncher;
  launcher.draw(state, language, "https://balie.example");
  return launcher;
}

test("the launcher keeps its one shadow root when a page moves it", () => {
  const launcher = drawn(here, "nl");
  document.body.append(launcher);
  const root = launcher.shadowRoot;
  expect(root).not.toBeNull();
  document.body.prepend(launcher);
  expect(launcher.shadowRoot).toBe(root);
});

test("the button names who is there, by first name", () => {
  expect(drawn(here, "nl").button.ariaLabel).toBe("Chat met Sanne");
  expect(drawn(here, "en-GB").button.ariaLabel).toBe("Chat with Sanne");
});

test("when nobody is there it promises no one", () => {
  const { button, box } = drawn(away, "nl");
  expect(button.ariaLabel).toBe("Stuur een bericht");
  expect(box.classList.contains("here")).toBe(false);
  expect(button.querySelector("div")).toBeNull();
});

test("a site's own label stands in the language it was given for", () => {
  const own = { ...here, texts: { nl: { label: "Vraag het Sanne" } } };
  expect(drawn(own, "nl").button.textContent).toContain("Vraag het Sanne");
  expect(drawn(own, "en").button.textContent).toContain("Chat with Sanne");
});
