import { useSignalEffect } from "@preact/signals";
import { useRef, useState } from "preact/hooks";
import { Button } from "../../ui/buttons";
import { Choice, TextField } from "../../ui/Field";
import { asProblem, call, type Page } from "../state/api";
import { colleagues } from "../state/link";
import { language } from "../state/me";
import { PersonRow } from "./PersonRow";
import type { Invited, Person, RoleName } from "./people";
import { CopyButton, Fault, Head, LoadFailed, useFetched } from "./pieces";
import { explain, tell } from "./tell";

export function PeoplePage() {
  const { pages, people } = tell();
  const { answer, setAnswer, failed, load, refresh } = useFetched<Page<Person>>("/agents");
  const [link, setLink] = useState<Invited | null>(null);
  useWhenPeopleChange(refresh);
  if (failed) return <LoadFailed again={load} />;

  const put = (person: Person) =>
    setAnswer((page) => {
      const others = page?.data.filter((one) => one.id !== person.id) ?? [];
      return { data: [...others, person].sort((one, other) => one.name.localeCompare(other.name)) };
    });
  const show = (invited: Invited) => {
    put(invited.agent);
    setLink(invited);
  };
  return (
    <>
      <Head title={pages.people} lead={people.lead} />
      <NewPerson onInvited={show} />
      {link && !isUsed(link, answer?.data) && <FreshLink invited={link} />}
      <table class="people" aria-busy={!answer}>
        <thead>
          <tr>
            <th scope="col">{people.name}</th>
            <th scope="col">{people.role}</th>
            <th scope="col">{tell().language}</th>
            <th scope="col">{people.now}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {answer?.data.map((person) => (
            <PersonRow key={person.id} person={person} onChange={put} onInvited={show} />
          ))}
        </tbody>
      </table>
    </>
  );
}

/** A link that was taken, or whose owner may not come in, is not offered any longer. */
function isUsed({ agent }: Invited, people: Person[] = []): boolean {
  const now = people.find((person) => person.id === agent.id);
  return !!now && (now.disabled || (now.active && !agent.active));
}

/** Several changes in a row are one reason to look. */
const SETTLES = 150;

/** The server tells everybody when somebody came, left, accepted, or was changed by another. */
function useWhenPeopleChange(act: () => void): void {
  const known = useRef(colleagues.peek());
  useSignalEffect(() => {
    if (known.current === colleagues.value) return;
    known.current = colleagues.value;
    const timer = setTimeout(act, SETTLES);
    return () => clearTimeout(timer);
  });
}

/** Making somebody is a row above the table. */
function NewPerson({ onInvited }: { onInvited: (invited: Invited) => void }) {
  const { people, language: languageWord, languages, taken, bad_email } = tell();
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<RoleName>("agent");
  const [speaks, setSpeaks] = useState<"nl" | "en">(language.value);
  const [fault, setFault] = useState<string | null>(null);

  async function submit(event: Event) {
    event.preventDefault();
    setFault(null);
    try {
      const person = { name: name.trim(), email: email.trim(), role, language: speaks };
      onInvited(await call<Invited>("POST", "/agents", person));
      setName("");
      setEmail("");
      setRole("agent");
      setSpeaks(language.peek());
    } catch (problem) {
      const { status } = asProblem(problem);
      setFault(status === 409 ? taken : status === 422 ? bad_email : explain(problem));
    }
  }
  return (
    <form class="new-row" onSubmit={submit}>
      <TextField
        label={people.name}
        value={name}
        onValue={setName}
        input={{ required: true, maxLength: 80 }}
      />
      <TextField
        label={people.email}
        value={email}
        onValue={setEmail}
        input={{ type: "email", required: true, maxLength: 254 }}
      />
      <Choice<RoleName>
        label={people.role}
        value={role}
        options={(["agent", "admin", "owner"] as const).map((value) => ({
          value,
          label: people.roles[value],
        }))}
        onValue={setRole}
      />
      <Choice<"nl" | "en">
        label={languageWord}
        value={speaks}
        options={(["nl", "en"] as const).map((value) => ({ value, label: languages[value] }))}
        onValue={setSpeaks}
      />
      <Button type="submit" kind="primary">
        {people.create}
      </Button>
      <Fault text={fault} />
    </form>
  );
}

function FreshLink({ invited }: { invited: Invited }) {
  const { people } = tell();
  return (
    <section class="fresh-link" aria-label={people.link_for(invited.agent.name)}>
      <div class="grow">
        <b>{people.link_for(invited.agent.name)}</b>
        <p class="hint">{people.link_hint}</p>
        <code class="cut">{invited.invitation.url}</code>
      </div>
      <CopyButton text={invited.invitation.url} word={people.copy_link} />
    </section>
  );
}
