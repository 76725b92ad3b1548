"""The nouns of who is on the other side, and their tables."""

import msgspec
from sqlalchemy import Boolean, Column, Index, Table, UniqueConstraint

from balie.contacts.device import describe
from balie.kernel.actor import VisitorActor
from balie.store.schema import Number, Words, metadata


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """A browser on a site. It exists in the store from its first message on, not before."""

    id: str
    organisation_id: str
    site_id: str
    created_at: int
    contact_id: str | None = None
    external_id: str | None = None
    name: str | None = None
    email: str | None = None
    verified: bool = False
    language: str | None = None
    time_zone: str = ""
    device: str = ""
    browser: str = ""
    system: str = ""


def new_visitor(
    actor: VisitorActor, now: int, language: str | None, user_agent: str, time_zone: str
) -> Visitor:
    """A visitor about whom nothing is known but his browser."""
    device = describe(user_agent, time_zone)
    return Visitor(
        id=actor.visitor_id,
        organisation_id=actor.organisation_id,
        site_id=actor.site_id,
        created_at=now,
        language=language,
        time_zone=device.time_zone,
        device=device.kind,
        browser=device.browser,
        system=device.system,
    )


visitors = Table(
    "visitors",
    metadata,
    Column("id", Words, primary_key=True),
    Column("organisation_id", Words, nullable=False),
    Column("site_id", Words, nullable=False),
    Column("created_at", Number, nullable=False),
    Column("contact_id", Words),
    Column("external_id", Words),
    Column("name", Words),
    Column("email", Words),
    Column("verified", Boolean, nullable=False),
    Column("language", Words),
    Column("time_zone", Words, nullable=False),
    Column("device", Words, nullable=False),
    Column("browser", Words, nullable=False),
    Column("system", Words, nullable=False),
    Index("ix_visitors_contact_id", "contact_id"),
    Index("ix_visitors_organisation_id", "organisation_id"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", Words, primary_key=True),
    Column("organisation_id", Words, nullable=False),
    # The organisation's own id of this person, from a signed token.
    Column("external_id", Words, nullable=False),
    Column("created_at", Number, nullable=False),
    Column("name", Words),
    Column("email", Words),
    UniqueConstraint("organisation_id", "external_id", name="uq_contacts_external"),
)

erasures = Table(
    "erasures",
    metadata,
    # In the order of happening, so that a running server sees what another process erased.
    Column("id", Number, primary_key=True),
    Column("organisation_id", Words, nullable=False),
    Column("kind", Words, nullable=False),
    # SHA-256 of what was erased, in hex; see `balie.contacts.ledger`.
    Column("subject", Words, nullable=False),
    Column("at", Number, nullable=False),
    Column("by", Words, nullable=False),
    UniqueConstraint("subject", "at", name="uq_erasures_subject"),
)
