"""Who asks. Every read and every write takes one, and sees no further than its organisation."""

from typing import Literal

import msgspec

Role = Literal["owner", "admin", "agent"]


class VisitorActor(msgspec.Struct, frozen=True, kw_only=True):
    """A browser on a site. `contact_id` is set only after a proof of identity, and opens that history;
    `former_id` is the visitor id that he had before it."""

    organisation_id: str
    site_id: str
    visitor_id: str
    contact_id: str | None = None
    former_id: str | None = None


class AgentActor(msgspec.Struct, frozen=True, kw_only=True):
    """A person who answers; `session_id` is the sign-in that he acts under."""

    organisation_id: str
    agent_id: str
    name: str
    role: Role
    session_id: str = ""
    picture: str | None = None

    @property
    def administers(self) -> bool:
        return self.role in ("owner", "admin")


class SystemActor(msgspec.Struct, frozen=True, kw_only=True):
    """Balie itself, or whoever holds its command line, within one organisation."""

    organisation_id: str


Actor = VisitorActor | AgentActor | SystemActor
