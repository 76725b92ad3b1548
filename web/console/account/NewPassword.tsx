import { PasswordField } from "../../ui/Field";
import { Icon } from "../../ui/icons";
import { say } from "../state/me";
import { judgeStrength, type Strength } from "./strength";

const BARS: Record<Strength, number> = { short: 1, weak: 2, fair: 3, strong: 4 };

interface NewPasswordProps {
  label: string;
  value: string;
  fault?: string | null;
  onValue: (value: string) => void;
}

/** A new password, with four bars and a word about its strength. */
export function NewPassword({ label, value, fault, onValue }: NewPasswordProps) {
  const { show, hide, strength: sayings } = say();
  const strength = judgeStrength(value);
  const good = strength === "strong" || strength === "fair";
  return (
    <div class="new-password">
      <PasswordField
        label={label}
        fault={fault}
        value={value}
        onValue={onValue}
        showWord={show}
        hideWord={hide}
        input={{ autocomplete: "new-password", name: "new-password", required: true }}
      />
      {value && (
        <div class={good ? "strength good" : "strength"}>
          <span class="bars" aria-hidden="true">
            {[1, 2, 3, 4].map((bar) => (
              <i key={bar} class={bar <= BARS[strength] ? "on" : ""} />
            ))}
          </span>
          {!fault && (
            <p role="status">
              {good && <Icon name="check" size="small" />}
              {sayings[strength]}
            </p>
          )}
        </div>
      )}
    </div>
  );
}
