export type Tongue = "nl" | "en";

export interface SiteTexts {
  greeting?: string;
  away?: string;
  label?: string;
}

/** A site as `GET /sites/{id}` tells an administrator. */
export interface Site {
  id: string;
  key: string;
  name: string;
  origins: string[];
  languages: Tongue[];
  look: {
    shape: "bubble" | "tab" | "bar";
    position: "left" | "right";
    offset: number;
    accent: string;
    accent_asked?: string;
  };
  texts: Partial<Record<Tongue, SiteTexts>>;
  after_close: "rate" | "nothing";
  when_away: "message" | "hide";
  keys: SiteKey[];
}

export interface SiteKey {
  kid: string;
  algorithm: "HS256" | "EdDSA";
  created_at: number;
}

/** A site as people say it: `voorbeeld.nl`. */
const BARE = /^[^\s/:@]+\.[^\s/:@]+\/?$/;

/** What one line of the allowed addresses means; null when it is none. */
export function asOrigin(line: string): string | null {
  const text = line.trim().replace(BARE, "https://$&");
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return null;
  const { origin, pathname, search, hash } = new URL(text);
  return pathname === "/" && !search && !hash ? origin : null;
}
