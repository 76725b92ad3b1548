"""Nouns and tables of organisations, sites and the keys that sign a site's visitors."""

from typing import Literal

import msgspec
from sqlalchemy import Column, Index, Table, UniqueConstraint

from balie.store.schema import Number, Words, metadata

Language = Literal["nl", "en"]
LANGUAGES: tuple[Language, ...] = ("nl", "en")
Shape = Literal["bubble", "tab", "bar"]
Position = Literal["left", "right"]
AfterClose = Literal["rate", "nothing"]
WhenAway = Literal["message", "hide"]
Algorithm = Literal["HS256", "EdDSA"]

DEFAULT_RETENTION_DAYS = 365
DEFAULT_ACCENT = "#2b4c9b"
LIVE_KEYS = 2


class Organisation(msgspec.Struct, frozen=True):
    """A tenant. What is older than `retention_days` is deleted."""

    id: str
    name: str
    language: Language
    retention_days: int


class Accent(msgspec.Struct, frozen=True):
    """One colour made readable on light and on dark surfaces, each with the ink that stands on it.

    `corrected`: the light colour is not the one that was asked for.
    """

    light: str
    light_ink: str
    dark: str
    dark_ink: str
    corrected: bool


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """How the launcher looks. `offset` in CSS pixels from the edges; `accent` as it was asked for."""

    shape: Shape = "bubble"
    position: Position = "right"
    offset: int = 20
    accent: str = DEFAULT_ACCENT


class Texts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the widget says in one language; an empty text means Balie's own words."""

    greeting: str = ""
    away: str = ""
    label: str = ""
    """On a launcher of the shape tab or bar."""


class SiteKey(msgspec.Struct, frozen=True):
    """A key that proves who a visitor is; `material` is the secret, or the public key as PEM."""

    kid: str
    site_id: str
    algorithm: Algorithm
    material: str
    created_at: int


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A web property. `key` names it in public; `origins` are the only pages that may load Balie."""

    id: str
    organisation_id: str
    key: str
    name: str
    origins: tuple[str, ...]
    languages: tuple[Language, ...]
    look: Look
    texts: dict[Language, Texts]
    after_close: AfterClose
    when_away: WhenAway


organisations = Table(
    "organisations",
    metadata,
    Column("organisation_id", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("language", Words, nullable=False),
    Column("retention_days", Number, nullable=False),
    Column("created_at", Number, nullable=False),
)

sites = Table(
    "sites",
    metadata,
    Column("organisation_id", Words, nullable=False),
    Column("id", Words, primary_key=True),
    Column("key", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("origins", Words, nullable=False),  # JSON, as are the next three
    Column("languages", Words, nullable=False),
    Column("look", Words, nullable=False),
    Column("texts", Words, nullable=False),
    Column("after_close", Words, nullable=False),
    Column("when_away", Words, nullable=False),
    Column("created_at", Number, nullable=False),
    UniqueConstraint("key"),
    Index("ix_sites_organisation", "organisation_id", "id"),
)

site_keys = Table(
    "site_keys",
    metadata,
    Column("organisation_id", Words, nullable=False),
    Column("site_id", Words, primary_key=True),
    Column("kid", Words, primary_key=True),
    Column("algorithm", Words, nullable=False),
    Column("material", Words, nullable=False),
    Column("created_at", Number, nullable=False),
)
