import { render } from "preact";
import { boot, site } from "./boot";
import { dress } from "./dress";
import { listenToHost, onHost } from "./host";
import { Panel } from "./Panel";
import { awake, focusing, full, online, shown, withRest } from "./state";
import STYLES from "./widget.css?inline";

dress(STYLES);

const { style, classList } = document.documentElement;
const { accent, accent_ink, accent_dark, accent_dark_ink } = site.look;
style.setProperty("--own", accent);
style.setProperty("--own-ink", accent_ink);
style.setProperty("--own-dark", accent_dark);
style.setProperty("--own-dark-ink", accent_dark_ink);
classList.toggle("hosted", !!boot.hosted);

onHost("open", (how: { focus?: boolean; full?: boolean } | undefined) => {
  full.value = !!how?.full;
  classList.toggle("full", full.value);
  shown.value = true;
  if (how?.focus) focusing.value++;
});
onHost("close", () => {
  shown.value = false;
});
document.addEventListener("visibilitychange", () => {
  awake.value = !document.hidden;
});
for (const change of ["online", "offline"])
  addEventListener(change, () => {
    online.value = navigator.onLine;
  });

render(<Panel />, document.body);
listenToHost();
// One can type now; all else follows.
setTimeout(() => withRest(() => {}).catch(() => {}));
