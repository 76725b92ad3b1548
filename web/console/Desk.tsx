import "./styles/rail.css";
import "./styles/list.css";
import "./styles/conversation.css";
import "./styles/thread.css";
import "./styles/composer.css";
import "./styles/visitor.css";
import "./styles/narrow.css";
import { useEffect } from "preact/hooks";
import { Inbox } from "./inbox/Inbox";
import { KeySheet } from "./KeySheet";
import { listenToKeys } from "./keys";
import { lazily } from "./lazily";
import { Rail } from "./Rail";
import { startAlerts } from "./state/alerts";
import { whenSignedOut } from "./state/api";
import { forgetDrafts } from "./state/drafts";
import { forgetHistories } from "./state/history";
import { forgetRows, loadInbox } from "./state/inbox";
import { closeLink, openLink } from "./state/link";
import { endSession, say } from "./state/me";
import { forgetOutbox } from "./state/outbox";
import { type Route, route } from "./state/route";
import { sheet } from "./state/sheets";
import { loadSiteNames } from "./state/sites";

const ErasePerson = lazily(() =>
  import("./visitor/ErasePerson").then((module) => module.ErasePerson),
);
const CommandPalette = lazily(() => import("./palette/Palette").then((module) => module.Palette));
const SettingsPages = lazily(() => import("./admin/Settings").then((module) => module.Settings));

/** The signed-in console: the connection lives as long as it stands. */
export function Desk() {
  useEffect(sitDown, []);
  return (
    <div class="desk">
      <header class="aloud">
        <h1>Balie</h1>
      </header>
      <a class="skip" href="#conversation">
        {say().skip}
      </a>
      <Rail />
      <Room route={route.value} />
      {sheet.value === "keys" && <KeySheet />}
      {sheet.value === "erase" && <ErasePerson />}
      {sheet.value === "palette" && <CommandPalette />}
    </div>
  );
}

function Room({ route: here }: { route: Route }) {
  if (here.at === "settings") return <SettingsPages page={here.page} item={here.item} />;
  if (here.at === "inbox") return <Inbox view={here.view} conversation={here.conversation} />;
  return null;
}

function sitDown(): () => void {
  whenSignedOut(endSession);
  openLink();
  loadInbox();
  loadSiteNames();
  const stops = [startAlerts(), listenToKeys()];
  return () => {
    for (const stop of stops) stop();
    standUp();
  };
}

/** What was asked of the server for one person is not shown to the next. */
function standUp(): void {
  closeLink();
  forgetOutbox();
  forgetRows();
  forgetHistories();
  forgetDrafts();
}
