import { useState } from "preact/hooks";
import { Button } from "../../ui/buttons";
import { Choice, TextField } from "../../ui/Field";
import { call } from "../state/api";
import { say } from "../state/me";
import { Fault, Head, LoadFailed, useFetched } from "./pieces";
import { explain, tell } from "./tell";

interface Organisation {
  id: string;
  name: string;
  language: "nl" | "en";
  retention_days: number;
}

export function OrganisationPage() {
  const { answer, setAnswer, failed, load } = useFetched<Organisation>("/organisation");
  const { pages, organisation } = tell();
  if (failed) return <LoadFailed again={load} />;
  return (
    <div class="narrow">
      <Head title={pages.organisation} lead={organisation.lead} />
      {answer && <OrganisationForm saved={answer} onSaved={setAnswer} />}
    </div>
  );
}

const KEEPING = [30, 90, 182, 365, 730, 1825, 3650];

interface OrganisationFormProps {
  saved: Organisation;
  onSaved: (organisation: Organisation) => void;
}

function OrganisationForm({ saved, onSaved }: OrganisationFormProps) {
  const { organisation, languages } = tell();
  const [wish, setWish] = useState(saved);
  const [fault, setFault] = useState<string | null>(null);
  const [done, setDone] = useState(false);
  const change = (part: Partial<Organisation>) => {
    setDone(false);
    setWish({ ...wish, ...part });
  };

  async function submit(event: Event) {
    event.preventDefault();
    setFault(null);
    const { name, language, retention_days } = wish;
    try {
      onSaved(
        await call("PATCH", "/organisation", { name: name.trim(), language, retention_days }),
      );
      setDone(true);
    } catch (problem) {
      setFault(explain(problem));
    }
  }
  return (
    <form class="card" onSubmit={submit}>
      <TextField
        label={organisation.name}
        value={wish.name}
        onValue={(name) => change({ name })}
        input={{ required: true, maxLength: 80, autocomplete: "organization" }}
      />
      <Choice<"nl" | "en">
        label={organisation.language}
        value={wish.language}
        options={(["nl", "en"] as const).map((value) => ({ value, label: languages[value] }))}
        onValue={(language) => change({ language })}
      />
      <Choice
        label={organisation.retention}
        hint={organisation.retention_hint}
        value={String(wish.retention_days)}
        options={[...new Set([...KEEPING, saved.retention_days])]
          .sort((one, other) => one - other)
          .map((days) => ({ value: String(days), label: sayDays(days) }))}
        onValue={(days) => change({ retention_days: Number(days) })}
      />
      <div class="save">
        <Button type="submit" kind="primary">
          {say().save}
        </Button>
        <span role="status">{done && say().saved}</span>
      </div>
      <Fault text={fault} />
    </form>
  );
}

function sayDays(days: number): string {
  const { organisation } = tell();
  if (days % 365 === 0)
    return days === 365 ? organisation.months(12) : organisation.years(days / 365);
  if (days === 30) return organisation.month;
  return days === 90 || days === 182
    ? organisation.months(Math.round(days / 30.4))
    : organisation.days(days);
}
