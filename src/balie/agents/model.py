"""Nouns and tables of agents, their sessions, invitations and pictures."""

from typing import Literal

import msgspec
from sqlalchemy import Column, Double, Index, LargeBinary, Table, UniqueConstraint, text

from balie.kernel.actor import Role
from balie.organisations.model import Language
from balie.store.schema import Number, Words, metadata
from balie.store.scope import EVERYWHERE

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
    Column("organisation_id", Words, nullable=False),
    Column("id", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("email", Words, nullable=False),
    Column("role", Words, nullable=False),
    Column("language", Words, nullable=False),
    Column("picture", Words),
    Column("password_hash", Words),
    Column("disabled_at", Number),
    Column("settings", Words, nullable=False),
    Column("created_at", Number, nullable=False),
    UniqueConstraint("email"),
    Index("ix_agents_organisation", "organisation_id", "id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("organisation_id", Words, nullable=False),
    Column("id", Words, primary_key=True),
    Column("agent_id", Words, nullable=False),
    Column("token_hash", Words, nullable=False),
    Column("created_at", Number, nullable=False),
    Column("last_seen_at", Number, nullable=False),
    Column("user_agent", Words, nullable=False),
    Column("address", Words, nullable=False),
    UniqueConstraint("token_hash"),
    Index("ix_sessions_agent", "agent_id"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("organisation_id", Words, nullable=False),
    Column("id", Words, primary_key=True),
    Column("agent_id", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("token_hash", Words, nullable=False),
    Column("invited_by", Words),
    Column("expires_at", Number, nullable=False),
    Column("used_at", Number),
    UniqueConstraint("token_hash"),
    Index("ix_invitations_agent", "agent_id"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("organisation_id", Words, nullable=False),
    Column("token_hash", Words, primary_key=True),
    Column("session_id", Words, nullable=False),
    Column("expires_at", Number, nullable=False),
)

tries = Table(
    "tries",
    metadata,
    # Of all, since nobody knows yet whose he is who tries.
    Column("organisation_id", Words, nullable=False, server_default=text(f"'{EVERYWHERE}'")),
    # A hash: an address of a person, of a place, or of both.
    Column("key", Words, primary_key=True),
    Column("tokens", Double, nullable=False),
    Column("at", Number, nullable=False),
    Index("ix_tries_at", "at"),
)

pictures = Table(
    "pictures",
    metadata,
    Column("organisation_id", Words, primary_key=True),
    Column("digest", Words, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Index("ix_pictures_digest", "digest"),
)
