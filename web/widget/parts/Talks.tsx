// All conversations of this visitor.

import { say } from "../boot";
import { show } from "../live";
import { conversations, me, turnAway } from "../state";
import { CloseButton, IconButton } from "./Buttons";
import { Earlier } from "./Earlier";

export function Talks() {
  return (
    <main class="screen">
      <header class="head has-back">
        <IconButton icon="back" label={say("back")} onClick={() => turnAway("home")} />
        <h1 class="title" tabIndex={-1}>
          {say("earlier")}
        </h1>
        <CloseButton />
      </header>
      <div class="body">
        <ul class="rows">
          {conversations.value.map((view) => (
            <Earlier key={view.id} view={view} />
          ))}
        </ul>
        <p class="hint">
          {conversations.value.length || !me.value ? say("earlierNote") : say("none")}
        </p>
      </div>
      <footer class="desk">
        <button type="button" class="button is-wide" onClick={() => show("talk", null)}>
          {say("new")}
        </button>
      </footer>
    </main>
  );
}
