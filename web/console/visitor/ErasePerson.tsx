import { useEffect, useState } from "preact/hooks";
import { Button } from "../../ui/buttons";
import { TextField } from "../../ui/Field";
import { Dialog } from "../../ui/overlays";
import { asProblem, call } from "../state/api";
import { say } from "../state/me";
import { closeSheet } from "../state/sheets";
import { subject } from "./person";

interface Extent {
  visitors: number;
  contacts: number;
  conversations: number;
  files: number;
}

/** It cannot be undone: says what goes, and wants a word typed. */
export function ErasePerson() {
  const who = subject.value;
  const { card, close, cancel } = say();
  const { whole } = card;
  const [extent, setExtent] = useState<Extent | null>(null);
  const [typed, setTyped] = useState("");
  const [state, setState] = useState<"" | "working" | "failed">("");
  const [erased, setErased] = useState<Extent | null>(null);
  const leave = () => closeSheet("erase");
  const failed = (fault: unknown) => {
    asProblem(fault);
    setState("failed");
  };

  useEffect(() => {
    if (who) call<Extent>("GET", `/visitors/${who.visitor}/extent`).then(setExtent, failed);
  }, [who]);
  if (!who) return null;

  const sure = extent !== null && typed.trim().toLowerCase() === whole.word;
  function submit(event: Event) {
    event.preventDefault();
    if (!sure || state === "working" || !who) return;
    setState("working");
    call<Extent>("PUT", `/visitors/${who.visitor}/erasure`).then(setErased, failed);
  }
  return (
    <Dialog title={erased ? whole.gone : whole.ask(who.name)} closeWord={close} onClose={leave}>
      {erased ? (
        <>
          <p role="status">{whole.erased(erased.conversations)}</p>
          <div class="actions">
            <Button onClick={leave}>{close}</Button>
          </div>
        </>
      ) : (
        <form onSubmit={submit}>
          <p>{whole.goes}</p>
          <WhatGoes extent={extent} />
          <p class="quiet">{whole.advice}</p>
          <TextField
            label={whole.type(whole.word)}
            value={typed}
            onValue={setTyped}
            input={{ autocomplete: "off", autocapitalize: "off", spellcheck: false }}
          />
          <p class="fault" role="alert">
            {state === "failed" && whole.failed}
          </p>
          <div class="actions">
            <Button type="submit" kind="grave" aria-disabled={!sure || state === "working"}>
              {state === "working" ? whole.working : whole.confirm}
            </Button>
            <Button kind="plain" onClick={leave}>
              {cancel}
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

function WhatGoes({ extent }: { extent: Extent | null }) {
  const { loading, card } = say();
  const { whole } = card;
  if (!extent) return <p role="status">{loading}</p>;
  const lines = [
    whole.conversations(extent.conversations),
    extent.files > 0 && whole.files(extent.files),
    whole.browsers(extent.visitors),
    whole.contact,
  ];
  return <ul class="goes">{lines.map((line) => line && <li key={line}>{line}</li>)}</ul>;
}
