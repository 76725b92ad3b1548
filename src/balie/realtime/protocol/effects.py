"""What a session wants its shell to do. The session itself does nothing but think."""

import msgspec

from balie.realtime.protocol.frames import (
    AgentHello,
    Alive,
    Mark,
    Note,
    PageMoved,
    Post,
    TypingOn,
    VisitorHello,
)


class Send(msgspec.Struct, frozen=True):
    """Send this frame, already encoded."""

    frame: bytes


class Greet(msgspec.Struct, frozen=True):
    """Find out who this is, then call `greeted`, or close."""

    hello: VisitorHello | AgentHello


class Submit(msgspec.Struct, frozen=True):
    """Write this, then call `acknowledged` or `refused`."""

    frame: Post | Note


class Follow(msgspec.Struct, frozen=True):
    """Hear this conversation from now on."""

    conversation: str


class Unfollow(msgspec.Struct, frozen=True):
    """Hear this conversation no longer."""

    conversation: str


class Fill(msgspec.Struct, frozen=True):
    """Read the events above `after`, at most MAX_FILL, then call `filled`, or `denied`."""

    conversation: str
    after: int


class Tell(msgspec.Struct, frozen=True):
    """Do what this soft frame asks: nothing of it is stored in the log by this session."""

    frame: Mark | TypingOn | PageMoved | Alive


class Close(msgspec.Struct, frozen=True):
    """End the connection."""

    code: int
    reason: str


Effect = Send | Greet | Submit | Follow | Unfollow | Fill | Tell | Close
