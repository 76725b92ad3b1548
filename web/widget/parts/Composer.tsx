// Where one types. What stands in it is kept until it is sent.

import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { say } from "../boot";
import { current, drafts, focusing, full, online, screen, send, typed, withRest } from "../state";
import { Icon } from "./Icon";

/** The browser empties the list it gave: hold on to the files. */
function take(list: Iterable<File>): void {
  const files = [...list];
  withRest(({ sendFiles }) => sendFiles(files)).catch(() => {});
}

export function Composer({ first }: { first?: boolean }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const text = drafts.value[current.value ?? ""] ?? "";
  const empty = !text.trim();

  useSignalEffect(() => {
    // On a phone the keyboard comes when it is asked for, not over the first screen.
    if (focusing.value && !(full.value && screen.peek() === "home")) field.current?.focus();
  });

  const submit = () => {
    if (empty) return;
    send(text.trim());
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
      <input
        ref={picker}
        class="vh"
        type="file"
        multiple
        tabIndex={-1}
        aria-hidden="true"
        onChange={({ currentTarget }) => {
          take(currentTarget.files ?? []);
          currentTarget.value = "";
        }}
      />
      <button
        type="button"
        class="icon-button"
        aria-label={say("attach")}
        onClick={() => picker.current?.click()}
      >
        <Icon name="clip" />
      </button>
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
      <button type="submit" class="send" aria-label={say("send")} aria-disabled={empty}>
        <Icon name="send" />
      </button>
    </form>
  );
}
