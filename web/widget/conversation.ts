// A visitor's view of a conversation, kept true by its events until the server says it anew.

import type { ConversationView, WireEvent } from "../protocol/types";

export function begun(id: string, now: number): ConversationView {
  const none = { delivered: 0, read: 0 };
  return {
    id,
    status: "open",
    last_seq: 0,
    unread: 0,
    receipts: { visitor: none, agent: none },
    started_at: now,
    waiting_since: now,
  };
}

/** The view after these events; those up to `known` were counted before. */
export function absorb(view: ConversationView, events: WireEvent[], known: number) {
  let next = view;
  for (const event of events)
    if (event.seq > Math.max(known, view.last_seq))
      next = { ...after(next, event), last_seq: event.seq };
  return next;
}

function after(view: ConversationView, event: WireEvent): ConversationView {
  switch (event.type) {
    case "message.posted": {
      const { seq, at, author, data } = event;
      const last_message = { seq, at, author_kind: author.kind, text: data.text };
      if (author.kind === "visitor")
        return { ...view, last_message, waiting_since: view.waiting_since ?? at };
      const { waiting_since: _, ...rest } = view;
      return { ...rest, last_message, unread: view.unread + 1 };
    }
    case "conversation.assigned":
      return { ...view, agent: event.data.agent };
    case "conversation.released": {
      const { agent: _, ...rest } = view;
      return rest;
    }
    case "conversation.closed": {
      const { waiting_since: _, ...rest } = view;
      return { ...rest, status: "closed", closed_at: event.at };
    }
    case "conversation.reopened": {
      const { closed_at: _, ...rest } = view;
      return { ...rest, status: "open" };
    }
    case "conversation.rated":
      return { ...view, rating: event.data.score };
    default:
      return view;
  }
}
