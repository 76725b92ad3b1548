"""What the processes over one store tell each other when something ends or changes. A tiding is written in the
transaction that it tells of, so that no crash comes between the two."""

import msgspec


class SessionsEnded(msgspec.Struct, frozen=True):
    """Sign-ins of agents."""

    sessions: list[str]


class AgentChanged(msgspec.Struct, frozen=True):
    """An agent has another name, role or picture, is new, or works here no longer."""

    organisation: str
    agent: str


class SiteChanged(msgspec.Struct, frozen=True):
    """A site, by its public key, looks or is allowed otherwise."""

    key: str


class VisitorRenamed(msgspec.Struct, frozen=True):
    """A visitor proved who he is and has a new id; this is the old one."""

    visitor: str


class ConversationsGone(msgspec.Struct, frozen=True):
    """These were kept long enough, and are no more."""

    organisation: str
    conversations: list[str]


Tiding = SessionsEnded | AgentChanged | SiteChanged | VisitorRenamed | ConversationsGone
