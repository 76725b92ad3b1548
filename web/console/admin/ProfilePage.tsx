import { useState } from "preact/hooks";
import { Button } from "../../ui/buttons";
import { Face } from "../../ui/Face";
import { Choice, PasswordField, TextField } from "../../ui/Field";
import { sayMoment } from "../../ui/intl";
import { Tag } from "../../ui/marks";
import { NewPassword } from "../account/NewPassword";
import { judgeStrength } from "../account/strength";
import { playTone } from "../state/alerts";
import { asProblem, call, type Page, UNREACHABLE } from "../state/api";
import {
  changeMe,
  changeSettings,
  chooseTheme,
  type Language,
  language,
  me,
  type Settings,
  say,
  settings,
  type Theme,
  theme,
} from "../state/me";
import { serverNow } from "../state/time";
import { Fault, Head, PicturePicker, Toggle, useFetched } from "./pieces";
import { explain, tell } from "./tell";

export function ProfilePage() {
  const { pages, profile } = tell();
  return (
    <div class="narrow">
      <Head title={pages.profile} lead={profile.lead} />
      <Self />
      <Work />
      <Password />
      <Sessions />
    </div>
  );
}

function Self() {
  const agent = me.value?.agent;
  const { profile, language: languageWord, languages } = tell();
  const [name, setName] = useState(agent?.name ?? "");
  const [fault, setFault] = useState<string | null>(null);
  if (!agent) return null;

  const save = (change: Record<string, unknown>) => {
    setFault(null);
    changeMe(change).catch((problem) => setFault(explain(problem)));
  };
  return (
    <section class="card">
      <div class="portrait">
        <Face name={agent.name} picture={agent.picture} size={72} />
        <div>
          <PicturePicker
            agent={agent.id}
            word={profile.choose_picture}
            onFault={setFault}
            onPicture={(picture) => {
              const now = me.peek();
              if (now) me.value = { ...now, agent: { ...now.agent, picture } };
            }}
          />
          <p class="hint">{profile.picture_hint}</p>
        </div>
      </div>
      <form
        class="with-button"
        onSubmit={(event) => {
          event.preventDefault();
          save({ name: name.trim() });
        }}
      >
        <TextField
          label={profile.name}
          value={name}
          onValue={setName}
          input={{ autocomplete: "name", maxLength: 80, required: true }}
        />
        {name.trim() !== agent.name && (
          <Button type="submit" kind="primary">
            {say().save}
          </Button>
        )}
      </form>
      <TextField
        label={profile.email}
        value={agent.email}
        onValue={() => {}}
        input={{ readOnly: true }}
      />
      <Choice<Language>
        label={languageWord}
        value={language.value}
        options={[
          { value: "nl", label: languages.nl },
          { value: "en", label: languages.en },
        ]}
        onValue={(value) => save({ language: value })}
      />
      <Fault text={fault} />
    </section>
  );
}

function Work() {
  const { profile } = tell();
  const { themes } = say().presence;
  const [fault, setFault] = useState<string | null>(null);
  const { single_keys, sound, notifications, undo_seconds } = settings.value;
  const save = (change: Partial<Settings>) => {
    changeSettings(change).catch((problem) => setFault(explain(problem)));
  };
  const refused = "Notification" in window && Notification.permission === "denied";
  return (
    <section class="card">
      <h3>{profile.work}</h3>
      <Toggle
        id="single-keys"
        title={profile.single_keys}
        hint={profile.single_keys_hint}
        on={single_keys}
        onChange={(on) => save({ single_keys: on })}
      />
      <Toggle id="sound" title={profile.sound} on={sound} onChange={(on) => save({ sound: on })}>
        <Button kind="plain" size="small" onClick={playTone}>
          {profile.sound_try}
        </Button>
      </Toggle>
      <Toggle
        id="notifications"
        title={profile.notifications}
        hint={refused ? profile.notifications_refused : profile.notifications_hint}
        on={notifications && !refused}
        onChange={(on) => askNotifications(on).then((allowed) => save({ notifications: allowed }))}
      />
      <Choice
        label={profile.undo}
        hint={profile.undo_hint}
        value={String(undo_seconds)}
        options={([0, 5, 10] as const).map((seconds) => ({
          value: String(seconds),
          label: profile.undo_options[seconds],
        }))}
        onValue={(value) => save({ undo_seconds: Number(value) })}
      />
      <Choice<Theme>
        label={profile.theme}
        value={theme.value}
        options={(["system", "light", "dark"] as const).map((value) => ({
          value,
          label: themes[value],
        }))}
        onValue={chooseTheme}
      />
      <Fault text={fault} />
    </section>
  );
}

async function askNotifications(on: boolean): Promise<boolean> {
  if (!on || !("Notification" in window)) return false;
  return (await Notification.requestPermission()) === "granted";
}

function Password() {
  const { profile } = tell();
  const { show, hide, invitation } = say();
  const [current, setCurrent] = useState("");
  const [fresh, setFresh] = useState("");
  const [fault, setFault] = useState<{ current?: string; fresh?: string }>({});
  const [done, setDone] = useState(false);
  const [busy, setBusy] = useState(false);

  async function submit(event: Event) {
    event.preventDefault();
    // A second press would ask with a password that the first has just replaced.
    if (busy) return;
    setDone(false);
    if (judgeStrength(fresh) === "short") return setFault({ fresh: invitation.too_short(10) });
    setFault({});
    setBusy(true);
    try {
      await changeMe({ password: fresh, current_password: current });
      setCurrent("");
      setFresh("");
      setDone(true);
    } catch (problem) {
      setFault(explainPassword(problem));
    } finally {
      setBusy(false);
    }
  }
  return (
    <section class="card">
      <h3>{profile.password}</h3>
      <p class="hint">{profile.password_lead}</p>
      <form class="stack" onSubmit={submit}>
        <input type="hidden" autocomplete="username" value={me.value?.agent.email} />
        <PasswordField
          label={profile.current}
          fault={fault.current}
          value={current}
          onValue={setCurrent}
          showWord={show}
          hideWord={hide}
          input={{ autocomplete: "current-password", required: true }}
        />
        <NewPassword
          label={profile.fresh}
          fault={fault.fresh ?? null}
          value={fresh}
          onValue={(value) => {
            setFresh(value);
            setFault({});
          }}
        />
        <div>
          <Button type="submit" aria-disabled={busy}>
            {profile.change_password}
          </Button>
        </div>
        <p role="status">{done && profile.password_changed}</p>
      </form>
    </section>
  );
}

function explainPassword(fault: unknown): { current?: string; fresh?: string } {
  const problem = asProblem(fault);
  const { profile } = tell();
  if (problem.code === UNREACHABLE) return { current: explain(problem) };
  return problem.status === 422
    ? { fresh: profile.refused_password }
    : { current: profile.wrong_current };
}

interface SignedIn {
  id: string;
  device: string;
  address: string;
  created_at: number;
  last_seen_at: number;
  current: boolean;
}

function Sessions() {
  const { profile } = tell();
  const { answer, setAnswer, failed } = useFetched<Page<SignedIn>>("/sessions");
  const [fault, setFault] = useState<string | null>(null);
  if (failed) return <Fault text={tell().load_failed} />;

  async function end(id: string) {
    try {
      await call("DELETE", `/sessions/${id}`);
      setAnswer((page) => page && { ...page, data: page.data.filter((one) => one.id !== id) });
    } catch (problem) {
      setFault(explain(problem));
    }
  }
  return (
    <section class="card">
      <h3>{profile.sessions}</h3>
      <ul class="lines">
        {answer?.data.map((one) => (
          <li key={one.id}>
            <div class="grow">
              <p>
                <b>{one.device || profile.unknown_device}</b>{" "}
                {one.current && <Tag tone="good">{profile.this_device}</Tag>}
              </p>
              <p class="quiet">
                {[
                  one.address,
                  profile.signed_in(sayMoment(one.created_at, serverNow(), language.value)),
                  profile.last_seen(sayMoment(one.last_seen_at, serverNow(), language.value)),
                ].join(" · ")}
              </p>
            </div>
            {!one.current && (
              <Button size="small" onClick={() => end(one.id)}>
                {profile.end_session}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Fault text={fault} />
    </section>
  );
}
