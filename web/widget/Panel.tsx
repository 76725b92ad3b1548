import { useSignal, useSignalEffect } from "@preact/signals";
import { Home } from "./parts/Home";
import { focusing, full, hovering, leave, screen, take, withRest } from "./state";

export function Panel() {
  const rest = useSignal<typeof import("./rest") | undefined>(undefined);
  useSignalEffect(() => {
    if (screen.value === "home" || rest.peek()) return;
    withRest((loaded) => {
      rest.value = loaded;
    }).catch(() => {
      screen.value = "home";
    });
  });
  useSignalEffect(() => {
    const heading = screen.value === "talks" || (screen.value === "home" && full.value);
    // After the screen was drawn: where there is nothing to type, its heading is read.
    if (focusing.value && heading)
      requestAnimationFrame(() => document.querySelector<HTMLElement>("h1")?.focus());
  });
  const loaded = rest.value;
  if (!loaded || screen.value === "home") return <Home />;
  return screen.value === "talks" ? <loaded.Talks /> : <loaded.Talk />;
}

addEventListener("keydown", (event) => {
  if (event.key === "Escape") leave();
});

// Files may be dropped wherever one is; a browser would open them in place of the panel.

const carries = (event: DragEvent) => event.dataTransfer?.types.includes("Files");

addEventListener("dragover", (event) => {
  if (!carries(event)) return;
  event.preventDefault();
  hovering.value = true;
});
addEventListener("dragleave", ({ relatedTarget }) => {
  if (!relatedTarget) hovering.value = false;
});
addEventListener("drop", (event) => {
  if (!carries(event)) return;
  event.preventDefault();
  hovering.value = false;
  take(event.dataTransfer?.files);
});
