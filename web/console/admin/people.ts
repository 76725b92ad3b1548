export type RoleName = "agent" | "admin" | "owner";

/** A colleague as `GET /agents` tells an administrator. */
export interface Person {
  id: string;
  name: string;
  email?: string;
  role: RoleName;
  language: "nl" | "en";
  picture?: string;
  disabled: boolean;
  /** Has chosen a password. */
  active: boolean;
  state: "available" | "away" | "offline";
  invitation?: { expires_at: number };
}

export interface Invited {
  agent: Person;
  invitation: { url: string; expires_at: number };
}
