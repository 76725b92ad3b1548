"""Where other programs want to hear of what happens: endpoints, and the table of them."""

from typing import Literal

import msgspec
from sqlalchemy import Column, Index, Table

from balie.kernel import events
from balie.kernel.events import Payload
from balie.store.schema import Number, Words, metadata

QUEUE = "webhooks"
"""The queue of what is to be delivered."""

DisabledBecause = Literal["", "asked", "gone", "failing"]
"""Why nothing is sent: somebody switched it off; it answered 410; it failed for FAILING_MS."""

OFFERED: tuple[type[Payload], ...] = (
    events.ConversationStarted,
    events.MessagePosted,
    events.NotePosted,
    events.ConversationAssigned,
    events.ConversationReleased,
    events.ConversationClosed,
    events.ConversationReopened,
    events.ConversationRated,
    events.ConversationTagged,
    events.ConversationUntagged,
    events.VisitorIdentified,
)
"""What an endpoint may choose from. What the page tells of its visitor is not among it: it is much, nobody
signed it, and the site has it already."""
TYPES: dict[type[Payload], str] = {kind: str(kind.__struct_config__.tag) for kind in OFFERED}


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An address of an organisation's own programs. `since` is the moment (milliseconds) from which it hears;
    `failing_since` that of the first failure after which nothing succeeded. The former secret signs as well,
    until `former_until`."""

    id: str
    organisation_id: str
    url: str
    types: tuple[str, ...]
    disabled_because: DisabledBecause = ""
    since: int
    failing_since: int | None = None
    secret: str
    former_secret: str | None = None
    former_until: int = 0
    created_at: int

    @property
    def enabled(self) -> bool:
        return not self.disabled_because


class About(msgspec.Struct, frozen=True):
    """What a delivery is about, as its job holds it: names, and no word of what was said."""

    endpoint: str
    conversation: str
    seq: int
    type: str


webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("organisation_id", Words, nullable=False),
    Column("id", Words, primary_key=True),
    Column("url", Words, nullable=False),
    Column("types", Words, nullable=False),  # JSON
    Column("disabled_because", Words, nullable=False),
    Column("since", Number, nullable=False),
    Column("failing_since", Number),
    Column("secret", Words, nullable=False),
    Column("former_secret", Words),
    Column("former_until", Number, nullable=False),
    Column("created_at", Number, nullable=False),
    # Grows with every change, so that who keeps them sees that he has to read them again.
    Column("version", Number, nullable=False),
    Index("ix_webhook_endpoints_organisation", "organisation_id", "id"),
)
