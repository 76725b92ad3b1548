import { useEffect, useState } from "preact/hooks";
import { Button } from "../../ui/buttons";
import { TextField } from "../../ui/Field";
import { sayDate } from "../../ui/intl";
import { asProblem, call, type Problem } from "../state/api";
import { chooseLanguage, language, me, recognise, say } from "../state/me";
import { go, inboxPath } from "../state/route";
import { Frame } from "./Frame";
import { NewPassword } from "./NewPassword";
import { SHORTEST } from "./strength";

interface Invited {
  kind?: "invitation" | "password";
  name: string;
  email: string;
  language?: string;
  organisation?: { name: string };
  invited_by?: string;
  expires_at?: number;
}

/** The one-time link: a new colleague, or a new password for one we know. */
export function Invitation({ token }: { token: string }) {
  const [invited, setInvited] = useState<Invited | null | undefined>(undefined);
  const [unreachable, setUnreachable] = useState(false);
  const load = () => {
    setUnreachable(false);
    call<Invited>("GET", `/invitations/${encodeURIComponent(token)}`).then(
      (found) => {
        if (found.language?.startsWith("en")) chooseLanguage("en");
        setInvited(found);
      },
      (fault) =>
        asProblem(fault).status >= 400 && asProblem(fault).status < 500
          ? setInvited(null)
          : setUnreachable(true),
    );
  };
  useEffect(load, [token]);

  if (unreachable) return <Unreachable again={load} />;
  if (invited === undefined)
    return <div class="loading" role="status" aria-label={say().loading} />;
  return invited ? <Accept token={token} invited={invited} /> : <Gone />;
}

function Unreachable({ again }: { again: () => void }) {
  return (
    <Frame>
      <p role="alert">{say().sign_in.offline}</p>
      <Button onClick={again}>{say().again}</Button>
    </Frame>
  );
}

function Gone() {
  const { invitation } = say();
  return (
    <Frame>
      <h1>{invitation.gone}</h1>
      <p class="lead">{invitation.gone_lead}</p>
      <a class="button large" href={inboxPath("open")}>
        {invitation.to_sign_in}
      </a>
    </Frame>
  );
}

function Accept({ token, invited }: { token: string; invited: Invited }) {
  const { invitation } = say();
  const isReset = invited.kind === "password";
  const [name, setName] = useState(invited.name);
  const [password, setPassword] = useState("");
  const [faults, setFaults] = useState<{ name?: string; password?: string }>({});
  const [busy, setBusy] = useState(false);

  async function submit(event: Event) {
    event.preventDefault();
    const found = findFaults(name, password);
    setFaults(found);
    if (busy || Object.keys(found).length) return;
    setBusy(true);
    try {
      await accept(token, name.trim(), password);
    } catch (fault) {
      setFaults({
        password: explain(asProblem(fault)),
      });
      setBusy(false);
    }
  }

  return (
    <Frame>
      <h1>{isReset ? invitation.reset : invitation.welcome(invited.name.split(" ")[0] ?? "")}</h1>
      <p class="lead">
        {isReset
          ? invitation.reset_lead(invited.email)
          : invitation.lead(invited.invited_by, invited.organisation?.name ?? "Balie")}
      </p>
      <form onSubmit={submit} noValidate>
        <input type="hidden" name="username" autocomplete="username" value={invited.email} />
        {!isReset && (
          <TextField
            label={invitation.name}
            fault={faults.name}
            value={name}
            onValue={setName}
            input={{ name: "name", autocomplete: "name", maxLength: 100 }}
          />
        )}
        <NewPassword
          label={invitation.password}
          value={password}
          fault={faults.password ?? null}
          onValue={(value) => {
            setPassword(value);
            setFaults({});
          }}
        />
        <Button type="submit" kind="primary" size="large" aria-disabled={busy}>
          {isReset ? invitation.submit_reset : invitation.submit}
        </Button>
      </form>
      {invited.expires_at && (
        <p class="after">
          {invitation.until(sayDate(invited.expires_at, Date.now(), language.value))}
        </p>
      )}
    </Frame>
  );
}

function findFaults(name: string, password: string): { name?: string; password?: string } {
  const { invitation } = say();
  return {
    ...(!name.trim() && { name: invitation.name_missing }),
    ...([...password].length < SHORTEST && { password: invitation.too_short(SHORTEST) }),
  };
}

function explain({ status, message }: Problem): string {
  if (!status) return say().sign_in.offline;
  // The server says which field it means, and why; of the name the form has seen to itself.
  return status === 422 && message.startsWith("password") ? say().invitation.too_easy : message;
}

async function accept(token: string, name: string, password: string): Promise<void> {
  await call("PUT", `/invitations/${encodeURIComponent(token)}/acceptance`, { name, password });
  await recognise();
  if (me.value === undefined) me.value = null;
  go(inboxPath("open"), true);
}
