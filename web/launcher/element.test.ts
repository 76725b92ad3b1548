import { expect, test } from "vitest";
import { BalieLauncher } from "./element";

test("the launcher keeps its one shadow root when a page moves it", () => {
  customElements.define("balie-launcher", BalieLauncher);
  const launcher = document.createElement("balie-launcher");
  document.body.append(launcher);
  const root = launcher.shadowRoot;
  expect(root).not.toBeNull();
  document.body.prepend(launcher);
  expect(launcher.shadowRoot).toBe(root);
});
