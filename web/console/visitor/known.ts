import type { Device } from "../../protocol/types";

export interface Seen {
  url: string;
  title?: string;
  at?: number;
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
  conversations: {
    id: string;
    status: "open" | "closed";
    started_at: number;
    agent?: { name: string } | null;
    preview?: string;
  }[];
}

export const visitorOf = (known: Known | null): Known["visitor"] => known?.visitor;
