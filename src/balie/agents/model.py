"""Nouns and tables of agents, their sessions, invitations and pictures."""

from typing import Literal

import msgspec
from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from balie.kernel.actor import Role
from balie.organisations.model import Language
from balie.store.schema import metadata

InvitationKind = Literal["invitation", "password"]

DAY_MS = 86_400_000
INVITATION_MS = 7 * DAY_MS
SESSION_IDLE_MS = 30 * DAY_MS
"""A session that nobody used for this long is over."""
SESSION_ABSOLUTE_MS = 90 * DAY_MS
"""A session is over this long after sign-in, however much it is used."""


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A person who answers. `name` and `picture` are what visitors see; `picture` is a public path.

    `active`: has chosen a password. `settings` is JSON that only the console reads.
    """

    id: str
    organisation_id: str
    name: str
    email: str
    role: Role
    language: Language
    picture: str | None
    disabled: bool
    active: bool
    settings: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in. The token itself is only with the browser; here lies its hash."""

    id: str
    organisation_id: str
    agent_id: str
    created_at: int
    last_seen_at: int
    user_agent: str
    address: str


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time link, for a first or a new password. Here lies the hash of its token."""

    id: str
    organisation_id: str
    agent_id: str
    kind: InvitationKind
    invited_by: str | None
    expires_at: int


agents = Table(
    "agents",
    metadata,
    Column("organisation_id", Text, nullable=False),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("picture", Text),
    Column("password_hash", Text),
    Column("disabled_at", Integer),
    Column("settings", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    UniqueConstraint("email"),
    Index("ix_agents_organisation", "organisation_id", "id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("organisation_id", Text, nullable=False),
    Column("id", Text, primary_key=True),
    Column("agent_id", Text, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("last_seen_at", Integer, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("address", Text, nullable=False),
    UniqueConstraint("token_hash"),
    Index("ix_sessions_agent", "agent_id"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("organisation_id", Text, nullable=False),
    Column("id", Text, primary_key=True),
    Column("agent_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("invited_by", Text),
    Column("expires_at", Integer, nullable=False),
    Column("used_at", Integer),
    UniqueConstraint("token_hash"),
    Index("ix_invitations_agent", "agent_id"),
)

pictures = Table(
    "pictures",
    metadata,
    Column("organisation_id", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Index("ix_pictures_digest", "digest"),
)
