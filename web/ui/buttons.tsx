import type { ComponentChildren, JSX } from "preact";
import { Icon, type IconName } from "./icons";

type NativeButton = Omit<JSX.IntrinsicElements["button"], "size" | "class" | "icon">;

interface ButtonProps extends NativeButton {
  kind?: "primary" | "plain" | "grave" | undefined;
  size?: "small" | "large" | undefined;
  class?: string | undefined;
  children: ComponentChildren;
}

export function Button({ kind, size, class: extra, type = "button", ...rest }: ButtonProps) {
  return (
    <button {...rest} type={type} class={["button", kind, size, extra].filter(Boolean).join(" ")} />
  );
}

interface IconButtonProps extends NativeButton {
  icon: IconName;
  /** Said aloud, and shown on hover. */
  label: string;
  class?: string | undefined;
}

export function IconButton({ icon, label, class: extra, ...rest }: IconButtonProps) {
  const name = ["icon-button", extra].filter(Boolean).join(" ");
  return (
    <button {...rest} type="button" class={name} aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}

interface SegmentedProps<Value extends string> {
  label: string;
  value: Value;
  options: readonly { value: Value; label: ComponentChildren; name?: string }[];
  onChange: (value: Value) => void;
}

export function Segmented<Value extends string>(props: SegmentedProps<Value>) {
  return (
    <fieldset class="segmented" aria-label={props.label}>
      {props.options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-label={option.name}
          title={option.name}
          aria-pressed={option.value === props.value}
          onClick={() => props.onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </fieldset>
  );
}

interface SwitchProps {
  /** The id of the text that names it. */
  labelledBy: string;
  on: boolean;
  onChange: (on: boolean) => void;
}

export function Switch({ labelledBy, on, onChange }: SwitchProps) {
  return (
    <button
      type="button"
      class="switch"
      role="switch"
      aria-checked={on}
      aria-labelledby={labelledBy}
      onClick={() => onChange(!on)}
    />
  );
}
