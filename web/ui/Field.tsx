import type { ComponentChildren, JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { IconButton } from "./buttons";
import { Icon } from "./icons";

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  fault?: string | null | undefined;
  children: (ids: { id: string; describedBy: string | undefined }) => ComponentChildren;
}

/** A label, whatever is filled in, and below it a hint or what is wrong. */
export function Field({ label, hint, fault, children }: FieldProps) {
  const id = useId();
  const below = `${id}-below`;
  return (
    <div class={fault ? "field wrong" : "field"}>
      <label for={id}>{label}</label>
      {children({ id, describedBy: hint || fault ? below : undefined })}
      {fault ? (
        <p class="fault" id={below}>
          <Icon name="alert" />
          {fault}
        </p>
      ) : (
        hint && (
          <p class="hint" id={below}>
            {hint}
          </p>
        )
      )}
    </div>
  );
}

interface TextFieldProps {
  label: string;
  hint?: ComponentChildren;
  fault?: string | null | undefined;
  value: string;
  onValue: (value: string) => void;
  input?: JSX.IntrinsicElements["input"];
}

export function TextField({ label, hint, fault, value, onValue, input }: TextFieldProps) {
  return (
    <Field label={label} hint={hint} fault={fault}>
      {({ id, describedBy }) => (
        <input
          {...input}
          id={id}
          class="input"
          value={value}
          aria-describedby={describedBy}
          aria-invalid={fault ? true : undefined}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

interface PasswordFieldProps extends TextFieldProps {
  showWord: string;
  hideWord: string;
}

export function PasswordField(props: PasswordFieldProps) {
  const { label, hint, fault, value, onValue, input, showWord, hideWord } = props;
  const [shown, show] = useState(false);
  const shape = { type: shown ? "text" : "password" } as { type: "password" };
  return (
    <Field label={label} hint={hint} fault={fault}>
      {({ id, describedBy }) => (
        <div class="with-end">
          <input
            {...(input as object)}
            {...shape}
            id={id}
            class="input"
            spellcheck={false}
            value={value}
            aria-describedby={describedBy}
            aria-invalid={fault ? true : undefined}
            onInput={(event) => onValue(event.currentTarget.value)}
          />
          <IconButton
            icon={shown ? "eye-off" : "eye"}
            label={shown ? hideWord : showWord}
            aria-pressed={shown}
            onClick={() => show(!shown)}
          />
        </div>
      )}
    </Field>
  );
}

interface ChoiceProps<Value extends string> {
  label: string;
  hint?: ComponentChildren;
  value: Value;
  options: readonly { value: Value; label: string }[];
  onValue: (value: Value) => void;
}

export function Choice<Value extends string>(props: ChoiceProps<Value>) {
  return (
    <Field label={props.label} hint={props.hint}>
      {({ id, describedBy }) => (
        <select
          id={id}
          class="input"
          value={props.value}
          aria-describedby={describedBy}
          onChange={(event) => props.onValue(event.currentTarget.value as Value)}
        >
          {props.options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
