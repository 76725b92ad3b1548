"""Writes web/protocol/types.ts from the server's frames; `--check` only compares.

The server's structs are the one description of what travels. A field that the server leaves out when it has
its default is optional in TypeScript.
"""

import sys
import types
import typing
from pathlib import Path
from typing import Any, Literal, Union

import msgspec

from balie.conversations import runnable
from balie.kernel import events, shapes
from balie.realtime.protocol import frames

TARGET = Path(__file__).parent.parent / "web" / "protocol" / "types.ts"

HEAD = """\
// Written by tools/wire_types.py from `balie.realtime.protocol.frames`; `make types` renews it.
// What each frame means: docs/protocol.md.
"""

WORDS = (events.Author, events.Page, events.Device, events.File, events.AgentName)
SENT = (
    frames.PageSeen,
    frames.Resumption,
    frames.VisitorHello,
    frames.AgentHello,
    frames.Post,
    frames.Note,
    frames.Resume,
    frames.Leave,
    frames.Mark,
    frames.TypingOn,
    frames.PageMoved,
    frames.Alive,
    frames.Ping,
)
SHAPES = (
    shapes.Marks,
    shapes.Receipts,
    shapes.LastMessage,
    shapes.ConversationView,
    shapes.RowVisitor,
    shapes.Row,
    shapes.AgentState,
    shapes.Desk,
    shapes.VisitorSelf,
    shapes.AgentSelf,
    shapes.Named,
    frames.TypingBy,
)
# Fields of events that no client is told.
HIDDEN = {
    events.ConversationStarted: {"name", "email", "verified", "contact"},
    events.VisitorIdentified: {"visitor", "contact"},
}


def main() -> int:
    text = render()
    if "--check" in sys.argv:
        if TARGET.read_text("utf-8") != text:
            print(f"{TARGET.name} is not what the server says; run `make types`", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text, "utf-8")
    return 0


def render() -> str:
    """The whole file."""
    payloads = typing.get_args(events.AnyPayload)
    to_visitors = typing.get_args(frames.VisitorServerFrame)
    to_agents = typing.get_args(frames.AgentServerFrame)
    received = dict.fromkeys((*to_visitors, *to_agents))
    parts = [
        HEAD,
        *(
            f"export const {name} = {getattr(frames, name):_};"
            for name in ("MAX_FRAME_BYTES", "MAX_TEXT", "MAX_FILES", "MAX_FILL")
        ),
        f"export const RUNNABLE_ENDINGS = `{' '.join(sorted(runnable.ENDINGS))}`;",
        "\n// Words of the log.\n",
        union("AuthorKind", typing.get_args(events.AuthorKind)),
        *(interface(kind) for kind in WORDS),
        EVENT_BASE,
        *(event(kind) for kind in payloads),
        INTERNAL,
        alias("WireEvent", [*(kind.__name__ for kind in payloads), "Internal"]),
        "// What clients send.\n",
        *(interface(kind, sent=True) for kind in SENT),
        alias("VisitorFrame", [k.__name__ for k in typing.get_args(frames.VisitorFrame)]),
        alias("AgentFrame", [k.__name__ for k in typing.get_args(frames.AgentFrame)]),
        "// Shapes that server frames are made of.\n",
        *(interface(kind) for kind in SHAPES),
        "// What the server sends.\n",
        union("ErrorCode", typing.get_args(frames.ErrorCode)),
        *(interface(kind) for kind in received),
        alias("VisitorServerFrame", [name_of(kind) for kind in to_visitors]),
        alias("AgentServerFrame", [name_of(kind) for kind in to_agents]),
        alias("ServerFrame", ["VisitorServerFrame", "AgentServerFrame"]),
        alias("ClientFrame", ["VisitorHello", "AgentHello", "VisitorFrame", "AgentFrame"]),
    ]
    return "\n".join(parts)


EVENT_BASE = """\
interface EventBase {
  seq: number;
  at: number;
  author: Author;
  client_message_id?: string;
}
"""
INTERNAL = """\
/** What a visitor may not see: a number and nothing else. */
export interface Internal {
  seq: number;
  type: "internal";
}
"""


def interface(kind: type[msgspec.Struct], *, sent: bool = False) -> str:
    """One struct; only its own fields when it extends another shape."""
    parent = kind.__bases__[0]
    extends = parent in SHAPES
    inherited = {f.name for f in msgspec.structs.fields(parent)} if extends else set()
    fields = [field for field in msgspec.structs.fields(kind) if field.name not in inherited]
    lines = [f"  {line}" for line in _tag(kind)]
    lines += [f"  {member(kind, field, sent=sent)}" for field in fields]
    head = f"export interface {name_of(kind)}" + (f" extends {parent.__name__}" if extends else "")
    return "\n".join([f"{head} {{", *lines, "}\n"])


def event(kind: type[msgspec.Struct]) -> str:
    """One event of the log: its tag outside, the rest as `data`."""
    hidden = HIDDEN.get(kind, set())
    fields = [field for field in msgspec.structs.fields(kind) if field.name not in hidden]
    loose = kind is events.ConversationStarted
    data = (
        "Record<string, never>"
        if not fields
        else "{ "
        + " ".join(member(kind, field, loose=loose) for field in fields).rstrip(";")
        + " }"
    )
    return "\n".join(
        [
            f"export interface {kind.__name__} extends EventBase {{",
            *(f"  {line}" for line in _tag(kind)),
            f"  data: {data};",
            "}\n",
        ]
    )


def member(
    kind: type, field: msgspec.structs.FieldInfo, *, sent: bool = False, loose: bool = False
) -> str:
    """One field. What may be left out is optional; what a client sends may also be null."""
    hints = typing.get_type_hints(kind, include_extras=False)
    omitted = (not field.required) and (sent or kind.__struct_config__.omit_defaults)  # type: ignore[attr-defined]
    text = typescript(hints[field.name], null=sent or not omitted)
    return f"{field.encode_name}{'?' if omitted or loose else ''}: {text};"


def typescript(hint: Any, *, null: bool = True) -> str:
    """A Python annotation in TypeScript."""
    if hint in ALIASES:
        return ALIASES[hint]
    origin = typing.get_origin(hint)
    if origin is None:
        return PLAIN.get(hint) or hint.__name__
    return _composed(
        Union if origin is types.UnionType else origin, typing.get_args(hint), null=null
    )


def _composed(origin: Any, arguments: tuple[Any, ...], *, null: bool) -> str:
    if origin is Literal:
        return " | ".join(f'"{value}"' for value in arguments)
    if origin is Union:
        some = [typescript(each) for each in arguments if each is not type(None)]
        return " | ".join(some + (["null"] if null and type(None) in arguments else []))
    if origin is dict:
        return f"Record<{typescript(arguments[0])}, {typescript(arguments[1])}>"
    return "WireEvent[]" if arguments[0] is msgspec.Raw else f"{typescript(arguments[0])}[]"


ALIASES = {events.AuthorKind: "AuthorKind", frames.ErrorCode: "ErrorCode"}
PLAIN: dict[Any, str] = {
    Any: "unknown",
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
}


def name_of(kind: type) -> str:
    """The struct's name; `Error` is taken in JavaScript."""
    return "ErrorFrame" if kind is frames.Error else kind.__name__


def union(name: str, values: tuple[str, ...]) -> str:
    return alias(name, [f'"{value}"' for value in values])


def alias(name: str, members: list[str]) -> str:
    flat = f"export type {name} = {' | '.join(members)};"
    if len(flat) <= 100:
        return flat + "\n"
    return f"export type {name} =\n" + "\n".join(f"  | {each}" for each in members) + ";\n"


def _tag(kind: type[msgspec.Struct]) -> list[str]:
    tag = kind.__struct_config__.tag
    return [f'type: "{tag}";'] if tag else []


if __name__ == "__main__":
    sys.exit(main())
