// Where one types. What stands in it is kept until it is sent.

import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { showsSomething } from "../../protocol/visible";
import { say } from "../boot";
import {
  current,
  drafts,
  focusing,
  full,
  hovering,
  online,
  screen,
  send,
  take,
  typed,
} from "../state";
import { Icon } from "./Icon";

export function Composer({ first }: { first?: boolean }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const text = drafts.value[current.value ?? ""] ?? "";
  const empty = !showsSomething(text);

  useSignalEffect(() => {
    // On a phone the keyboard comes when it is asked for, not over the first screen.
    if (focusing.value && !(full.value && screen.peek() === "home")) field.current?.focus();
  });

  const submit = () => {
    if (empty) return;
    send();
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  };
  const onPaste = (event: ClipboardEvent) => {
    const files = event.clipboardData?.files;
    if (!files?.length) return;
    event.preventDefault();
    take(files);
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Picker icon="clip" label={say("attach")} multiple />
      {empty && (
        <Picker icon="camera" label={say("camera")} accept="image/*" capture="environment" />
      )}
      <textarea
        ref={field}
        rows={1}
        aria-label={say("message")}
        placeholder={say(online.value ? (first ? "typeFirst" : "type") : "typeOffline")}
        enterkeyhint="send"
        value={text}
        onInput={({ currentTarget }) => typed(currentTarget.value)}
        onKeyDown={onKeyDown}
        onPaste={onPaste}
      />
      {hovering.value && <p class="drop">{say("drop")}</p>}
      <button type="submit" class="send" aria-label={say("send")} aria-disabled={empty}>
        <Icon name="send" />
      </button>
    </form>
  );
}

interface PickerProps {
  icon: "clip" | "camera";
  label: string;
  multiple?: boolean;
  accept?: string;
  capture?: "environment";
}

/** A button for a field that browsers draw each in their own way. */
function Picker({ icon, label, ...wanted }: PickerProps) {
  const field = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        {...wanted}
        ref={field}
        class="vh"
        type="file"
        tabIndex={-1}
        aria-hidden="true"
        onChange={({ currentTarget }) => {
          take(currentTarget.files ?? undefined);
          currentTarget.value = "";
        }}
      />
      <button
        type="button"
        class={`icon-button is-${icon}`}
        aria-label={label}
        onClick={() => field.current?.click()}
      >
        <Icon name={icon} />
      </button>
    </>
  );
}
