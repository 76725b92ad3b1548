import type { Device, WireEvent } from "../../protocol/types";

export interface Seen {
  url: string;
  title?: string;
  at?: number;
}

/** Something that the page told; `detail` is any JSON. */
export interface Told {
  name: string;
  at: number;
  detail?: unknown;
}

/** The visitor's card, as `GET /conversations/{id}/visitor` answers. */
export interface Known {
  visitor?: { id: string; external_id?: string | null };
  device?: Device;
  language?: string | null;
  time_zone?: string;
  page?: Seen | null;
  /** Since the chat began, latest first. */
  pages: Seen[];
  referrer?: string;
  /** What the page says of its visitor, by name; nobody signed it. */
  attributes?: Record<string, unknown>;
  /** What the page told since the chat began, latest first. */
  events?: Told[];
  conversations: {
    id: string;
    status: "open" | "closed";
    started_at: number;
    agent?: { name: string } | null;
    preview?: string;
  }[];
}

/** The card after one more event of the log. */
export function learn(known: Known, event: WireEvent): Known {
  switch (event.type) {
    case "page.viewed": {
      const page = { ...event.data, at: event.at };
      return { ...known, page, pages: [page, ...known.pages] };
    }
    case "visitor.described":
      return { ...known, attributes: merge(known.attributes ?? {}, event.data.attributes) };
    case "event.tracked":
      return { ...known, events: [{ ...event.data, at: event.at }, ...(known.events ?? [])] };
    default:
      return known;
  }
}

/** Null takes a name back, as on the server. */
function merge(known: Record<string, unknown>, said: Record<string, unknown>) {
  const now = Object.entries({ ...known, ...said });
  return Object.fromEntries(now.filter(([, value]) => value !== null));
}

export const visitorOf = (known: Known | null): Known["visitor"] => known?.visitor;
