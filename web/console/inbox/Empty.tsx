import type { ComponentChildren } from "preact";
import { Button } from "../../ui/buttons";
import { Icon, type IconName, Mark } from "../../ui/icons";
import { KeyHint } from "../../ui/marks";
import { openLongestWaiting, takeFirst } from "../state/acts";
import { waiting, waitingForOthers } from "../state/inbox";
import { availability, setAvailability } from "../state/link";
import { isAdministrator, say, settings } from "../state/me";
import { inboxPath, settingsPath } from "../state/route";
import { keySheet } from "../state/sheets";

/** No conversation is open: what to do next, or that nobody needs anything. */
export function Empty() {
  const { mine, queue } = waiting.value;
  const count = mine.length + queue.length;
  return count ? <Waiting count={count} mine={mine.length} queue={queue.length} /> : <Nobody />;
}

function Nobody() {
  const { empty } = say();
  const away = availability.value === "away";
  const others = waitingForOthers.value;
  return (
    <div class="empty">
      <span class="bell">
        <Mark size={48} />
      </span>
      <h2>{others ? empty.title_but_others : empty.title}</h2>
      <p>{away ? empty.away : empty.ready}</p>
      {away && (
        <Button kind="primary" onClick={() => setAvailability("available")}>
          {empty.be_back}
        </Button>
      )}
      <ul class="useful">
        {others > 0 && (
          <UsefulLink icon="clock" href={inboxPath("team")} text={empty.others(others)} />
        )}
        {isAdministrator.value && (
          <>
            <UsefulLink icon="people" href={settingsPath("people")} text={empty.invite} />
            <UsefulLink icon="globe" href={settingsPath("sites")} text={empty.site} />
          </>
        )}
        <Useful icon="keyboard" text={empty.keys} keys="?" onClick={() => keySheet(true)} />
      </ul>
    </div>
  );
}

function Waiting({ count, mine, queue }: { count: number; mine: number; queue: number }) {
  const { empty } = say();
  return (
    <div class="empty">
      <h2>{empty.pick}</h2>
      <p>{empty.pick_lead(count)}</p>
      <ul class="useful">
        {mine > 0 && (
          <Useful icon="clock" text={empty.longest} keys="N" onClick={openLongestWaiting} />
        )}
        {queue > 0 && (
          <Useful icon="inbox" text={empty.first} keys="T" onClick={() => takeFirst()} />
        )}
      </ul>
    </div>
  );
}

interface UsefulProps {
  icon: IconName;
  text: string;
  keys: string;
  onClick: () => void;
}

function Useful({ icon, text, keys, onClick }: UsefulProps) {
  return (
    <li>
      <button type="button" onClick={onClick}>
        <Line icon={icon}>{text}</Line>
        {settings.value.single_keys && <KeyHint>{keys}</KeyHint>}
      </button>
    </li>
  );
}

function UsefulLink({ icon, text, href }: { icon: IconName; text: string; href: string }) {
  return (
    <li>
      <a href={href}>
        <Line icon={icon}>{text}</Line>
      </a>
    </li>
  );
}

function Line({ icon, children }: { icon: IconName; children: ComponentChildren }) {
  return (
    <>
      <Icon name={icon} />
      <span class="grow">{children}</span>
    </>
  );
}
