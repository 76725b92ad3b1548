import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { MAX_TEXT, type Row } from "../../protocol/types";
import { showsSomething } from "../../protocol/visible";
import { Button, IconButton, Segmented } from "../../ui/buttons";
import { sayNumber } from "../../ui/intl";
import { Key } from "../../ui/marks";
import { closeConversation, openLongestWaiting, take } from "../state/acts";
import { changeDraft, draftOf, leaveDraft } from "../state/drafts";
import { tell } from "../state/link";
import { language, say, settings } from "../state/me";
import { post, postNote } from "../state/outbox";
import { firstNameOf, nameOf } from "../state/people";
import { commandKey } from "../state/platform";
import { addFiles, uploadsOf } from "../state/uploads";
import { Attachments } from "./Attachments";
import { Strips } from "./Strips";
import { useFresh } from "./useFresh";

interface ComposerProps {
  row: Row;
  /** The last message is in sight. */
  atEnd: boolean;
  showEnd: () => void;
}

type After = "stay" | "next" | "close";

/** Grows upward; what stands in it is kept until it is sent or thrown away by the one who wrote it. */
export function Composer({ row, atEnd, showEnd }: ComposerProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const draft = draftOf(row.id).value;
  const uploads = uploadsOf(row.id).value;
  const [over, setOver] = useState(false);
  const [tooMany, setTooMany] = useState(false);
  const isNote = draft.mode === "note";
  const text = isNote ? draft.note : draft.text;
  const idle = atEnd && !draft.text && !draft.files.length;
  const fresh = useFresh(row.id, idle, atEnd);
  const { composer } = say();

  useGrowing(field, text);
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) field.current?.focus({ preventScroll: true });
    return () => leaveDraft(row.id);
  }, [row.id]);

  const excess = [...text].length - MAX_TEXT;
  const busy = uploads.some((upload) => !upload.fault);
  const empty = !showsSomething(text) && (isNote || !draft.files.length);
  const blocked = empty || excess > 0 || (busy && !isNote);
  const unread = isNote || empty ? "nothing" : fresh.unread;

  function attach(files: readonly File[]) {
    if (files.length) setTooMany(!addFiles(row.id, files));
  }

  function readFirst() {
    fresh.seen();
    showEnd();
    field.current?.focus();
  }

  /** The strip says that the answer did not go; the next time it goes. */
  function hold() {
    fresh.hold();
    showEnd();
  }

  async function send(after: After = "stay", anyway = false) {
    if (blocked) return;
    if (unread === "new" && !anyway) return hold();
    fresh.seen();
    if (isNote) writeNote(row.id, text);
    else if (!(await answer(row))) return;
    showEnd();
    field.current?.focus();
    if (after === "next") openLongestWaiting();
    if (after === "close") closeConversation(row.id);
  }

  function pressed(event: KeyboardEvent) {
    if (event.key === "Escape") return field.current?.blur();
    if (event.key !== "Enter" || event.isComposing || event.altKey) return;
    const command = event.metaKey || event.ctrlKey;
    if (event.shiftKey && !command) return;
    event.preventDefault();
    send(command ? (event.shiftKey ? "close" : "next") : "stay");
  }

  return (
    <section
      class={["composer", isNote && "as-note", over && "over"].filter(Boolean).join(" ")}
      aria-label={isNote ? composer.note_label : composer.label(nameOf(row))}
      data-drop={composer.drop}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        attach([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <Strips row={row} unread={unread} readFirst={readFirst} tooMany={tooMany} />
      <textarea
        ref={field}
        id="composer"
        rows={1}
        value={text}
        placeholder={isNote ? composer.note_placeholder : composer.placeholder(firstNameOf(row))}
        aria-label={isNote ? composer.note_label : composer.label(nameOf(row))}
        enterkeyhint="send"
        onInput={(event) => {
          const { value } = event.currentTarget;
          changeDraft(row.id, isNote ? { note: value } : { text: value });
          if (!isNote) tell({ type: "typing", conversation: row.id, on: Boolean(value) });
        }}
        onBlur={() => tell({ type: "typing", conversation: row.id, on: false })}
        onKeyDown={pressed}
        onPaste={(event) => {
          const files = [...(event.clipboardData?.files ?? [])];
          if (files.length) event.preventDefault();
          attach(files);
        }}
      />
      {!isNote && <Attachments conversation={row.id} files={draft.files} uploads={uploads} />}
      <div class="bar">
        <Segmented
          label={composer.kind}
          value={draft.mode}
          options={[
            { value: "answer", label: composer.answer },
            { value: "note", label: composer.note },
          ]}
          onChange={(mode) => {
            changeDraft(row.id, { mode });
            field.current?.focus();
          }}
        />
        {!isNote && <AttachButton onFiles={attach} />}
        <span class="grow" />
        {excess > 0 && (
          <span class="fault" role="status">
            {composer.too_long(sayNumber(excess, language.value))}
          </span>
        )}
        {busy && !isNote && <span class="hint">{composer.waiting_files}</span>}
        <SendButton
          label={sendLabel(isNote, unread !== "nothing")}
          quiet={unread !== "nothing"}
          blocked={blocked}
          onSend={() => send("stay", true)}
        />
      </div>
    </section>
  );
}

function sendLabel(isNote: boolean, fresh: boolean): string {
  const { composer } = say();
  if (isNote) return composer.save_note;
  return fresh ? composer.send_anyway : composer.send;
}

interface SendButtonProps {
  label: string;
  quiet: boolean;
  blocked: boolean;
  onSend: () => void;
}

function SendButton({ label, quiet, blocked, onSend }: SendButtonProps) {
  return (
    <Button
      kind={quiet ? undefined : "primary"}
      class="send"
      aria-disabled={blocked}
      onClick={onSend}
    >
      {label}
    </Button>
  );
}

function AttachButton({ onFiles }: { onFiles: (files: readonly File[]) => void }) {
  const picker = useRef<HTMLInputElement>(null);
  return (
    <>
      <IconButton
        icon="attach"
        label={say().composer.attach}
        onClick={() => picker.current?.click()}
      />
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        onChange={(event) => {
          onFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}

function writeNote(id: string, text: string): void {
  postNote(id, text);
  changeDraft(id, { note: "" });
}

/** Who answers, has it: a conversation of nobody is taken first. What was typed stays when that fails. */
async function answer(row: Row): Promise<boolean> {
  const { text, files } = draftOf(row.id).peek();
  if (!row.agent && row.status === "open" && !(await take(row.id))) return false;
  changeDraft(row.id, { text: "", files: [] });
  post(row.id, text, files);
  return true;
}

const HIGHEST = 220;

function useGrowing(field: { current: HTMLTextAreaElement | null }, text: string): void {
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, HIGHEST)}px`;
  }, [text]);
}

/** What the keys do, below the composer of who has keys. */
export function ComposerHints({ id, next }: { id: string; next: string }) {
  const { answer_hints, note_hints } = say().composer;
  const isNote = draftOf(id).value.mode === "note";
  const hints = isNote ? note_hints : answer_hints;
  return (
    <p class="hints" aria-hidden="true">
      <span>
        <Key>↵</Key> {hints.send}
      </span>
      <span>
        <Key>{commandKey}</Key>
        <Key>↵</Key> {hints.next} {next}
      </span>
      <span>
        <Key>{commandKey}</Key>
        <Key>⇧</Key>
        <Key>↵</Key> {hints.close}
      </span>
      {isNote && settings.value.single_keys && (
        <span>
          <Key>Esc</Key>
          <Key>R</Key> {note_hints.back}
        </span>
      )}
    </p>
  );
}
