// The launcher's element on a shop's page: vanilla, alone in its shadow root.

export class BalieLauncher extends HTMLElement {
  connectedCallback(): void {
    if (this.shadowRoot) return;
    this.attachShadow({ mode: "open" }).innerHTML = "<slot></slot>";
  }
}
