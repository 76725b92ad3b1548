import { useRef } from "preact/hooks";
import { IconButton } from "../ui/buttons";
import { Face } from "../ui/Face";
import { Icon, type IconName, Mark } from "../ui/icons";
import { Count } from "../ui/marks";
import { Menu } from "../ui/overlays";
import { waitingCount } from "./inbox/Inbox";
import { type Availability, availability, setAvailability, status } from "./state/link";
import {
  changeSettings,
  chooseTheme,
  me,
  say,
  settings,
  signOut,
  type Theme,
  theme,
} from "./state/me";
import { release } from "./state/outbox";
import { inboxPath, route, settingsPath } from "./state/route";
import { closeSheet, keySheet, openSheet, sheet } from "./state/sheets";

/** On a wide screen a rail at the side, on a phone the bar below. */
export function Rail() {
  const here = route.value;
  const count = waitingCount();
  const { inbox, tabs, settings: settingsWord, keys } = say();
  const inTeam = here.at === "inbox" && here.view === "team";
  return (
    <nav
      class={here.at === "inbox" && here.conversation ? "rail talking" : "rail"}
      aria-label={say().menu}
    >
      <span class="mark-box">
        <Mark />
      </span>
      <RailLink
        href={inboxPath("open")}
        icon="inbox"
        label={inbox.waiting(count)}
        tab={tabs.inbox}
        on={here.at === "inbox" && !inTeam}
        count={count}
      />
      <RailLink
        class="only-phone"
        href={inboxPath("team")}
        icon="people"
        label={tabs.team}
        tab={tabs.team}
        on={inTeam}
      />
      <RailLink
        href={settingsPath()}
        icon="settings"
        label={settingsWord}
        tab={tabs.settings}
        on={here.at === "settings"}
      />
      <span class="grow" />
      <IconButton
        class="not-phone"
        icon="keyboard"
        label={keys.title}
        onClick={() => keySheet(true)}
      />
      <Me />
    </nav>
  );
}

interface RailLinkProps {
  href: string;
  icon: IconName;
  label: string;
  tab: string;
  on: boolean;
  count?: number;
  class?: string;
}

function RailLink({ href, icon, label, tab, on, count = 0, class: extra = "" }: RailLinkProps) {
  return (
    <a
      class={`rail-link ${extra}`}
      href={href}
      aria-label={label}
      title={label}
      aria-current={on ? "page" : undefined}
    >
      <Icon name={icon} size="large" />
      <span class="tab-word">{tab}</span>
      <Count value={count} label="" />
    </a>
  );
}

function Me() {
  const button = useRef<HTMLButtonElement>(null);
  const agent = me.value?.agent;
  const { presence, tabs } = say();
  if (!agent) return null;
  const live = status.value === "live";
  const state = live ? presence[availability.value] : presence.hollow;
  return (
    <>
      <button
        ref={button}
        type="button"
        class="rail-link me"
        aria-label={presence.label(agent.name, state)}
        title={`${agent.name}, ${state}`}
        aria-haspopup="menu"
        aria-expanded={sheet.value === "presence"}
        onClick={() => openSheet("presence")}
      >
        <Face
          name={agent.name}
          picture={agent.picture}
          size={32}
          presence={live ? availability.value : "offline"}
        />
        <span class="tab-word">{tabs.me}</span>
      </button>
      {sheet.value === "presence" && <PresenceMenu anchor={() => button.current} />}
    </>
  );
}

function PresenceMenu({ anchor }: { anchor: () => HTMLElement | null }) {
  const { presence } = say();
  const close = () => closeSheet("presence");
  return (
    <Menu label={presence.profile} anchor={anchor} onClose={close}>
      <p class="heading">{me.value?.agent.name}</p>
      {(["available", "away"] as const).map((value) => (
        <State key={value} value={value} />
      ))}
      <hr />
      <p class="heading">{presence.theme}</p>
      {(["system", "light", "dark"] as const).map((value) => (
        <ThemeItem key={value} value={value} />
      ))}
      <hr />
      <button
        type="button"
        class="item"
        role="menuitemcheckbox"
        aria-checked={settings.value.sound}
        onClick={() => changeSettings({ sound: !settings.value.sound })}
      >
        <Icon name="bell" />
        <span class="grow">{presence.sound}</span>
        <i class={settings.value.sound ? "switch on" : "switch"} />
      </button>
      <hr />
      <a class="item" role="menuitem" href={settingsPath("profile")} onClick={close}>
        <Icon name="profile" />
        {presence.profile}
      </a>
      <button
        type="button"
        class="item"
        role="menuitem"
        onClick={() => {
          close();
          release();
          signOut();
        }}
      >
        <Icon name="leave" />
        {presence.sign_out}
      </button>
    </Menu>
  );
}

function State({ value }: { value: Availability }) {
  const on = availability.value === value;
  return (
    <button
      type="button"
      class="item"
      role="menuitemradio"
      aria-checked={on}
      onClick={() => {
        setAvailability(value);
        closeSheet("presence");
      }}
    >
      <i class={`dot ${value}`} />
      {say().presence[value]}
      {on && <Icon name="check" class="end" />}
    </button>
  );
}

const THEME_ICONS: Record<Theme, IconName> = { system: "desktop", light: "sun", dark: "moon" };

function ThemeItem({ value }: { value: Theme }) {
  const on = theme.value === value;
  return (
    <button
      type="button"
      class="item"
      role="menuitemradio"
      aria-checked={on}
      onClick={() => chooseTheme(value)}
    >
      <Icon name={THEME_ICONS[value]} />
      {say().presence.themes[value]}
      {on && <Icon name="check" class="end" />}
    </button>
  );
}
