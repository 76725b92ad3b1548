import { BalieLauncher } from "./element";

if (!customElements.get("balie-launcher")) customElements.define("balie-launcher", BalieLauncher);
