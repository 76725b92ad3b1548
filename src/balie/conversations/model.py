"""The nouns of a conversation: its state (also its row in the store), and its tables."""

from typing import Literal

import msgspec
from sqlalchemy import Boolean, Column, Index, Table, text

from balie.store.migrations.beside import made_beside
from balie.store.schema import Number, Words, metadata

Status = Literal["open", "closed"]
Side = Literal["visitor", "agent"]

PREVIEW = 140
"""Characters of the last message that lists show."""


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """What the log of one conversation adds up to. Times in milliseconds since 1970 UTC.

    `waiting_since` is when the oldest message that nobody answered was written. `*_delivered` and `*_read`
    are the highest seq that reached a side and that it has read; `*_unread` counts what came since.
    """

    id: str
    organisation_id: str
    site_id: str
    visitor_id: str
    started_at: int
    updated_at: int
    status: Status = "open"
    last_seq: int = 0
    contact_id: str | None = None
    visitor_name: str | None = None
    visitor_email: str | None = None
    visitor_verified: bool = False
    agent_id: str | None = None
    agent_name: str | None = None
    agent_picture: str | None = None
    closed_at: int | None = None
    waiting_since: int | None = None
    message_seq: int = 0
    message_at: int = 0
    message_author: str = ""
    message_text: str = ""
    language: str | None = None
    page_url: str = ""
    page_title: str = ""
    attributes: str = ""
    """What the site's page says of its visitor, as a JSON object; empty when it said nothing."""
    tags: str = ""
    rating: int | None = None
    visitor_delivered: int = 0
    visitor_read: int = 0
    visitor_unread: int = 0
    agent_delivered: int = 0
    agent_read: int = 0
    agent_unread: int = 0

    @property
    def tag_list(self) -> tuple[str, ...]:
        return tuple(self.tags.split("\n")) if self.tags else ()


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that somebody brought. `author_id` as `kind:id`; `sha256` in hex."""

    id: str
    organisation_id: str
    author_id: str
    conversation_id: str | None
    name: str
    media_type: str
    size: int
    width: int | None
    height: int | None
    sha256: str
    created_at: int


conversations = Table(
    "conversations",
    metadata,
    Column("id", Words, primary_key=True),
    Column("organisation_id", Words, nullable=False),
    Column("site_id", Words, nullable=False),
    Column("visitor_id", Words, nullable=False),
    Column("started_at", Number, nullable=False),
    Column("updated_at", Number, nullable=False),
    Column("status", Words, nullable=False),
    Column("last_seq", Number, nullable=False),
    Column("contact_id", Words),
    Column("visitor_name", Words),
    Column("visitor_email", Words),
    Column("visitor_verified", Boolean, nullable=False),
    Column("agent_id", Words),
    Column("agent_name", Words),
    Column("agent_picture", Words),
    Column("closed_at", Number),
    Column("waiting_since", Number),
    Column("message_seq", Number, nullable=False),
    Column("message_at", Number, nullable=False),
    Column("message_author", Words, nullable=False),
    Column("message_text", Words, nullable=False),
    Column("language", Words),
    Column("page_url", Words, nullable=False),
    Column("page_title", Words, nullable=False),
    Column("attributes", Words, nullable=False, server_default=text("''")),
    # Newline-separated, since a label has no newline and lists show them all.
    Column("tags", Words, nullable=False),
    Column("rating", Number),
    Column("visitor_delivered", Number, nullable=False),
    Column("visitor_read", Number, nullable=False),
    Column("visitor_unread", Number, nullable=False),
    Column("agent_delivered", Number, nullable=False),
    Column("agent_read", Number, nullable=False),
    Column("agent_unread", Number, nullable=False),
    Index("ix_conversations_visitor", "visitor_id", "started_at"),
    Index(
        "ix_conversations_contact",
        "contact_id",
        "started_at",
        sqlite_where=text("contact_id IS NOT NULL"),
        postgresql_where=text("contact_id IS NOT NULL"),
    ),
    Index(
        "ix_conversations_open",
        "organisation_id",
        "agent_id",
        "id",
        sqlite_where=text("status = 'open'"),
        postgresql_where=text("status = 'open'"),
    ),
    Index(
        "ix_conversations_closed",
        "organisation_id",
        "closed_at",
        "id",
        sqlite_where=text("status = 'closed'"),
        postgresql_where=text("status = 'closed'"),
    ),
    Index(
        "ix_conversations_started",
        "organisation_id",
        "started_at",
        "id",
        info=made_beside(),
    ),
    Index(
        "ix_conversations_tags",
        "organisation_id",
        "tags",
        sqlite_where=text("tags <> ''"),
        postgresql_where=text("tags <> ''"),
        info=made_beside(),
    ),
)

files = Table(
    "files",
    metadata,
    Column("id", Words, primary_key=True),
    Column("organisation_id", Words, nullable=False),
    # Who brought it, as `kind:id`; only he may attach it.
    Column("author_id", Words, nullable=False),
    # Set when a message takes it; what no message took is deleted soon.
    Column("conversation_id", Words),
    Column("name", Words, nullable=False),
    Column("media_type", Words, nullable=False),
    Column("size", Number, nullable=False),
    Column("width", Number),
    Column("height", Number),
    Column("sha256", Words, nullable=False),
    Column("created_at", Number, nullable=False),
    Index("ix_files_conversation_id", "conversation_id"),
    Index(
        "ix_files_loose",
        "created_at",
        sqlite_where=text("conversation_id IS NULL"),
        postgresql_where=text("conversation_id IS NULL"),
    ),
)
