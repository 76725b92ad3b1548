// Written by tools/wire_types.py from `balie.realtime.protocol.frames`; `make types` renews it.
// What each frame means: docs/protocol.md.

export const MAX_FRAME_BYTES = 65_536;
export const MAX_TEXT = 16_000;
export const MAX_FILES = 10;
export const MAX_FILL = 200;
export const RUNNABLE_ENDINGS = `ade adp apk app appimage application appref-ms appx appxbundle bash bat cab chm cmd com command cpl deb desktop diagcab diagcfg diagpkg dll dmg drv exe gadget hlp hta img inf ins iso isp jar jnlp js jse ksh lib lnk mde mjs msc msh msi msix msixbundle msp mst nsh ocx pif pkg ps1 ps1xml ps2 psc1 psm1 pyw reg rpm run scf scr sct settingcontent-ms sh shb shs sys terminal url vb vbe vbs vhd vhdx vxd workflow ws wsc wsf wsh xll`;

// Words of the log.

export type AuthorKind = "visitor" | "agent" | "bot" | "system" | "api";

export interface Author {
  kind: AuthorKind;
  id?: string;
  name?: string;
  picture?: string;
}

export interface Page {
  url: string;
  title?: string;
  referrer?: string;
}

export interface Device {
  kind?: string;
  browser?: string;
  system?: string;
  time_zone?: string;
}

export interface File {
  id: string;
  name: string;
  media_type: string;
  size: number;
  width?: number;
  height?: number;
}

export interface AgentName {
  id: string;
  name: string;
  picture?: string;
}

interface EventBase {
  seq: number;
  at: number;
  author: Author;
  client_message_id?: string;
}

export interface ConversationStarted extends EventBase {
  type: "conversation.started";
  data: { site?: string; language?: string; page?: Page; device?: Device };
}

export interface MessagePosted extends EventBase {
  type: "message.posted";
  data: { text: string; files?: File[] };
}

export interface NotePosted extends EventBase {
  type: "note.posted";
  data: { text: string };
}

export interface ConversationAssigned extends EventBase {
  type: "conversation.assigned";
  data: { agent: AgentName };
}

export interface ConversationReleased extends EventBase {
  type: "conversation.released";
  data: Record<string, never>;
}

export interface ConversationClosed extends EventBase {
  type: "conversation.closed";
  data: { by: "visitor" | "agent" | "system" };
}

export interface ConversationReopened extends EventBase {
  type: "conversation.reopened";
  data: Record<string, never>;
}

export interface ConversationRated extends EventBase {
  type: "conversation.rated";
  data: { score: number; comment?: string };
}

export interface ConversationTagged extends EventBase {
  type: "conversation.tagged";
  data: { tag: string };
}

export interface ConversationUntagged extends EventBase {
  type: "conversation.untagged";
  data: { tag: string };
}

export interface VisitorIdentified extends EventBase {
  type: "visitor.identified";
  data: { name?: string; email?: string; verified?: boolean; external_id?: string };
}

export interface PageViewed extends EventBase {
  type: "page.viewed";
  data: { url: string; title?: string; referrer?: string };
}

export interface VisitorDescribed extends EventBase {
  type: "visitor.described";
  data: { attributes: Record<string, unknown> };
}

export interface EventTracked extends EventBase {
  type: "event.tracked";
  data: { name: string; detail?: unknown };
}

/** What a visitor may not see: a number and nothing else. */
export interface Internal {
  seq: number;
  type: "internal";
}

export type WireEvent =
  | ConversationStarted
  | MessagePosted
  | NotePosted
  | ConversationAssigned
  | ConversationReleased
  | ConversationClosed
  | ConversationReopened
  | ConversationRated
  | ConversationTagged
  | ConversationUntagged
  | VisitorIdentified
  | PageViewed
  | VisitorDescribed
  | EventTracked
  | Internal;

// What clients send.

export interface PageSeen {
  url: string;
  title?: string;
  referrer?: string;
}

export interface Resumption {
  conversation: string;
  last_seq: number;
}

export interface VisitorHello {
  type: "hello";
  site: string;
  token?: string | null;
  language?: string | null;
  time_zone?: string | null;
  page?: PageSeen | null;
  resume?: Resumption[];
  client?: string;
}

export interface AgentHello {
  type: "hello";
  ticket: string;
  resume?: Resumption[];
  client?: string;
}

export interface Post {
  type: "post";
  client_message_id: string;
  conversation: string | null;
  text: string;
  files?: string[];
}

export interface Note {
  type: "note";
  client_message_id: string;
  conversation: string;
  text: string;
}

export interface Resume {
  type: "resume";
  conversation: string;
  last_seq: number;
}

export interface Leave {
  type: "leave";
  conversation: string;
}

export interface Mark {
  type: "mark";
  conversation: string;
  delivered?: number;
  read?: number;
}

export interface TypingOn {
  type: "typing";
  conversation: string;
  on: boolean;
}

export interface PageMoved {
  type: "page";
  url: string;
  title?: string;
  referrer?: string;
}

export interface Alive {
  type: "alive";
  awake: boolean;
  status?: "available" | "away";
}

export interface Ping {
  type: "ping";
}

export type VisitorFrame = Post | Resume | Leave | Mark | TypingOn | PageMoved | Ping;

export type AgentFrame = Post | Note | Resume | Leave | Mark | TypingOn | Alive | Ping;

// Shapes that server frames are made of.

export interface Marks {
  delivered: number;
  read: number;
}

export interface Receipts {
  visitor: Marks;
  agent: Marks;
}

export interface LastMessage {
  seq: number;
  at: number;
  author_kind: AuthorKind;
  text: string;
}

export interface ConversationView {
  id: string;
  status: "open" | "closed";
  last_seq: number;
  unread: number;
  receipts: Receipts;
  started_at: number;
  agent?: AgentName;
  last_message?: LastMessage;
  waiting_since?: number;
  closed_at?: number;
  rating?: number;
}

export interface RowVisitor {
  id: string;
  name?: string;
  email?: string;
  verified: boolean;
  online: boolean;
}

export interface Row extends ConversationView {
  site: string;
  visitor: RowVisitor;
  language?: string;
  page?: Page;
  tags: string[];
}

export interface AgentState {
  id: string;
  name: string;
  state: "available" | "away" | "offline";
  picture?: string;
}

export interface Desk {
  state: "here" | "away";
  agents: AgentName[];
}

export interface VisitorSelf {
  id: string;
  token: string;
  name?: string;
  email?: string;
  verified: boolean;
}

export interface AgentSelf {
  id: string;
  name: string;
  email: string;
  role: "owner" | "admin" | "agent";
  language: string;
  picture?: string;
}

export interface Named {
  id: string;
  name: string;
}

export interface TypingBy {
  kind: AuthorKind;
  id: string;
  name?: string;
}

// What the server sends.

export type ErrorCode =
  | "malformed"
  | "unknown_type"
  | "too_long"
  | "empty"
  | "not_found"
  | "conflict"
  | "closed"
  | "rate_limited"
  | "busy"
  | "unavailable";

export interface VisitorWelcome {
  type: "welcome";
  session: string;
  now: number;
  heartbeat_ms: number;
  visitor: VisitorSelf;
  conversations: ConversationView[];
  desk: Desk;
}

export interface Ack {
  type: "ack";
  client_message_id: string;
  conversation: string;
  seq: number;
  at: number;
}

export interface Events {
  type: "events";
  conversation: string;
  events: WireEvent[];
}

export interface Resync {
  type: "resync";
  conversation: string;
  last_seq: number;
}

export interface ConversationChanged {
  type: "conversation";
  conversation: ConversationView;
}

export interface Receipt {
  type: "receipt";
  conversation: string;
  by: "visitor" | "agent";
  delivered: number;
  read: number;
}

export interface Typing {
  type: "typing";
  conversation: string;
  by: TypingBy;
  on: boolean;
}

export interface VisitorPresence {
  type: "presence";
  desk: Desk;
}

export interface ErrorFrame {
  type: "error";
  code: ErrorCode;
  detail: string;
  ref?: string;
  retry_after_ms?: number;
}

export interface Draining {
  type: "draining";
  retry_ms: number;
}

export interface Pong {
  type: "pong";
  now: number;
}

export interface AgentWelcome {
  type: "welcome";
  session: string;
  now: number;
  heartbeat_ms: number;
  agent: AgentSelf;
  organisation: Named;
  agents: AgentState[];
}

export interface Inbox {
  type: "inbox";
  rows: Row[];
}

export interface ConversationsGone {
  type: "gone";
  conversations: string[];
}

export interface AgentPresence {
  type: "presence";
  agents?: AgentState[];
  visitors?: Record<string, boolean>;
}

export type VisitorServerFrame =
  | VisitorWelcome
  | Ack
  | Events
  | Resync
  | ConversationChanged
  | Receipt
  | Typing
  | VisitorPresence
  | ErrorFrame
  | Draining
  | Pong;

export type AgentServerFrame =
  | AgentWelcome
  | Ack
  | Events
  | Resync
  | Inbox
  | ConversationsGone
  | Receipt
  | Typing
  | AgentPresence
  | ErrorFrame
  | Draining
  | Pong;

export type ServerFrame = VisitorServerFrame | AgentServerFrame;

export type ClientFrame = VisitorHello | AgentHello | VisitorFrame | AgentFrame;
