import { useRef, useState } from "preact/hooks";
import { Button } from "../../ui/buttons";
import { sayWait } from "../../ui/clock";
import { PasswordField, TextField } from "../../ui/Field";
import { Strip } from "../../ui/marks";
import { asProblem, type Problem, UNREACHABLE } from "../state/api";
import { ended, say, signIn } from "../state/me";
import { Frame } from "./Frame";

export function SignIn() {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const { sign_in, greetings, show, hide } = say();

  async function submit(event: Event) {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFault(null);
    try {
      await signIn(email.trim(), password);
    } catch (problem) {
      setBusy(false);
      refuse(asProblem(problem));
    }
  }

  function refuse(problem: Problem) {
    setFault(explain(problem));
    if (problem.status !== 401) return;
    setPassword("");
    form.current?.querySelector<HTMLInputElement>("[name=password]")?.focus();
  }

  return (
    <Frame>
      <h1>{greetings[partOfDay()]}</h1>
      <p class="lead">{sign_in.lead}</p>
      {ended.value && <Strip tone="accent">{sign_in.ended}</Strip>}
      <form ref={form} onSubmit={submit}>
        <TextField
          label={sign_in.email}
          value={email}
          onValue={setEmail}
          input={{ type: "email", name: "email", autocomplete: "username", required: true }}
        />
        <PasswordField
          label={sign_in.password}
          fault={fault}
          value={password}
          onValue={setPassword}
          showWord={show}
          hideWord={hide}
          input={{ name: "password", autocomplete: "current-password", required: true }}
        />
        <Button type="submit" kind="primary" size="large" aria-disabled={busy}>
          {sign_in.submit}
        </Button>
        <p class="aloud" role="alert">
          {fault}
        </p>
      </form>
      <p class="after">{sign_in.forgotten}</p>
    </Frame>
  );
}

function explain(problem: Problem): string {
  const { sign_in, units } = say();
  if (problem.code === UNREACHABLE) return sign_in.offline;
  if (problem.status === 429)
    return sign_in.too_many(sayWait(Math.ceil(problem.retryAfter / 1000) || 60, units));
  const left = problem.body.attempts_left;
  return [sign_in.wrong, typeof left === "number" && sign_in.left(left)].filter(Boolean).join(" ");
}

function partOfDay(): "morning" | "afternoon" | "evening" {
  const hour = new Date().getHours();
  return hour < 12 ? "morning" : hour < 18 ? "afternoon" : "evening";
}
