import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { Button, Switch } from "../../ui/buttons";
import { Icon } from "../../ui/icons";
import { asProblem, call } from "../state/api";
import { say } from "../state/me";
import { tell } from "./tell";

interface HeadProps {
  title: string;
  lead: string;
  children?: ComponentChildren;
}

export function Head({ title, lead, children }: HeadProps) {
  return (
    <header class="page-head">
      <div class="grow">
        <h2>{title}</h2>
        <p>{lead}</p>
      </div>
      {children}
    </header>
  );
}

/** Reads once; the answer can be changed in place. */
export function useFetched<Answer>(path: string) {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [failed, setFailed] = useState(false);
  const load = () => {
    setFailed(false);
    call<Answer>("GET", path).then(setAnswer, (fault) => {
      asProblem(fault);
      setFailed(true);
    });
  };
  useEffect(load, [path]);
  /** Reads again what stands there; it stays when that fails. */
  const refresh = useCallback(() => {
    call<Answer>("GET", path).then(setAnswer, asProblem);
  }, [path]);
  return { answer, setAnswer, failed, load, refresh };
}

export function LoadFailed({ again }: { again: () => void }) {
  return (
    <div class="empty" role="alert">
      <p>{tell().load_failed}</p>
      <Button onClick={again}>{say().again}</Button>
    </div>
  );
}

export function Fault({ text }: { text: string | null }) {
  return (
    <p class="fault" role="alert">
      {text && (
        <>
          <Icon name="alert" />
          {text}
        </>
      )}
    </p>
  );
}

interface ToggleProps {
  id: string;
  title: string;
  hint?: string | undefined;
  on: boolean;
  onChange: (on: boolean) => void;
  children?: ComponentChildren;
}

export function Toggle({ id, title, hint, on, onChange, children }: ToggleProps) {
  return (
    <div class="toggle">
      <div class="grow">
        <span id={id} class="label">
          {title}
        </span>
        {hint && <p class="hint">{hint}</p>}
      </div>
      {children}
      <Switch labelledBy={id} on={on} onChange={onChange} />
    </div>
  );
}

export function CopyButton({ text, word }: { text: string; word?: string }) {
  const [copied, setCopied] = useState(false);
  const { copy, copied: done } = say();
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <Button
      size="small"
      onClick={() => navigator.clipboard.writeText(text).then(() => setCopied(true))}
    >
      <Icon name={copied ? "check" : "copy"} />
      <span role="status">{copied ? done : (word ?? copy)}</span>
    </Button>
  );
}

interface PicturePickerProps {
  agent: string;
  word: string;
  onPicture: (path: string) => void;
  onFault: (text: string) => void;
}

export function PicturePicker({ agent, word, onPicture, onFault }: PicturePickerProps) {
  async function choose(input: HTMLInputElement) {
    const file = input.files?.[0];
    input.value = "";
    if (!file) return;
    try {
      const { picture } = await call<{ picture: string }>("PUT", `/agents/${agent}/picture`, file);
      onPicture(picture);
    } catch (fault) {
      asProblem(fault);
      onFault(tell().profile.picture_failed);
    }
  }
  return (
    <label class="button picker">
      <Icon name="picture" />
      {word}
      <input
        class="aloud"
        type="file"
        accept="image/png,image/jpeg,image/webp,image/gif"
        onChange={(event) => choose(event.currentTarget)}
      />
    </label>
  );
}
