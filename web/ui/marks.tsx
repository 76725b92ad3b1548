import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icons";

interface TagProps {
  tone?: "good" | "soon" | "late" | "accent" | undefined;
  icon?: IconName;
  children: ComponentChildren;
}

export function Tag({ tone, icon, children }: TagProps) {
  return (
    <span class={tone ? `tag ${tone}` : "tag"}>
      {icon && <Icon name={icon} size="small" />}
      {children}
    </span>
  );
}

/** Orange is unread, never urgency. */
export function Count({ value, label }: { value: number; label: string }) {
  if (value <= 0) return null;
  return (
    <b class="count" data-text={value > 99 ? "99+" : value}>
      <span class="aloud">{label}</span>
    </b>
  );
}

export function Key({ children }: { children: string }) {
  return <kbd class="key">{children}</kbd>;
}

/** The key that does the same as the button it stands in. */
export function KeyHint({ children }: { children: string }) {
  return <kbd class="key" data-text={children} />;
}

interface StripProps {
  tone?: "accent" | "late" | undefined;
  icon?: IconName;
  role?: "status" | "alert";
  children: ComponentChildren;
}

export function Strip({ tone, icon, role, children }: StripProps) {
  return (
    <div class={tone ? `strip ${tone}` : "strip"} role={role}>
      {icon && <Icon name={icon} />}
      {children}
    </div>
  );
}
