"""The nouns of a conversation: its state (also its row in the store), and its tables."""

from typing import Literal

import msgspec
from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, text

from balie.store.schema import metadata

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
    Column("id", Text, primary_key=True),
    Column("organisation_id", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    Column("visitor_id", Text, nullable=False),
    Column("started_at", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("contact_id", Text),
    Column("visitor_name", Text),
    Column("visitor_email", Text),
    Column("visitor_verified", Boolean, nullable=False),
    Column("agent_id", Text),
    Column("agent_name", Text),
    Column("agent_picture", Text),
    Column("closed_at", Integer),
    Column("waiting_since", Integer),
    Column("message_seq", Integer, nullable=False),
    Column("message_at", Integer, nullable=False),
    Column("message_author", Text, nullable=False),
    Column("message_text", Text, nullable=False),
    Column("language", Text),
    Column("page_url", Text, nullable=False),
    Column("page_title", Text, nullable=False),
    Column("attributes", Text, nullable=False, server_default=text("''")),
    # Newline-separated, since a label has no newline and lists show them all.
    Column("tags", Text, nullable=False),
    Column("rating", Integer),
    Column("visitor_delivered", Integer, nullable=False),
    Column("visitor_read", Integer, nullable=False),
    Column("visitor_unread", Integer, nullable=False),
    Column("agent_delivered", Integer, nullable=False),
    Column("agent_read", Integer, nullable=False),
    Column("agent_unread", Integer, nullable=False),
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
)

files = Table(
    "files",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organisation_id", Text, nullable=False),
    # Who brought it, as `kind:id`; only he may attach it.
    Column("author_id", Text, nullable=False),
    # Set when a message takes it; what no message took is deleted soon.
    Column("conversation_id", Text),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("sha256", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Index("ix_files_conversation_id", "conversation_id"),
    Index("ix_files_loose", "created_at", sqlite_where=text("conversation_id IS NULL")),
)
