"""All reads of organisations and sites. Each sees no further than the actor's organisation.

The two exceptions are doors: what a site's public key opens is public, and a visitor's proof of identity
is checked against the keys of the site that he is on.
"""

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from balie.kernel.actor import Actor
from balie.kernel.errors import NotFoundError
from balie.organisations.model import (
    Algorithm,
    Language,
    Look,
    Organisation,
    Site,
    SiteKey,
    Texts,
    organisations,
    site_keys,
    sites,
)

_decode_look = msgspec.json.Decoder(Look).decode
_decode_texts: Any = msgspec.json.Decoder(dict[Language, Texts]).decode
_decode_origins: Any = msgspec.json.Decoder(tuple[str, ...]).decode
_decode_languages: Any = msgspec.json.Decoder(tuple[Language, ...]).decode

NO_SITE = "no such site"


def find_organisation(connection: Connection, actor: Actor) -> Organisation:
    """The actor's own organisation. Raises NotFoundError when it is gone."""
    wanted = organisations.c.organisation_id == actor.organisation_id
    row = connection.execute(select(organisations).where(wanted)).first()
    if row is None:
        raise NotFoundError("no such organisation")
    return Organisation(row.organisation_id, row.name, row.language, row.retention_days)


def find_all_organisations(connection: Connection) -> list[Organisation]:
    """All tenants of this installation, oldest first: for its upkeep and its command line, never for a door."""
    rows = connection.execute(select(organisations).order_by(organisations.c.organisation_id))
    return [Organisation(r.organisation_id, r.name, r.language, r.retention_days) for r in rows]


def find_sites(connection: Connection, actor: Actor) -> list[Site]:
    """The organisation's sites, oldest first."""
    mine = sites.c.organisation_id == actor.organisation_id
    return [
        _site(row) for row in connection.execute(select(sites).where(mine).order_by(sites.c.id))
    ]


def find_site(connection: Connection, actor: Actor, site_id: str) -> Site:
    """One site. Raises NotFoundError, also for a site of somebody else."""
    wanted = (sites.c.organisation_id == actor.organisation_id) & (sites.c.id == site_id)
    row = connection.execute(select(sites).where(wanted)).first()
    if row is None:
        raise NotFoundError(NO_SITE)
    return _site(row)


def find_site_by_key(connection: Connection, key: str) -> Site | None:
    """The site that a public key names: for the doors through which visitors come."""
    row = connection.execute(select(sites).where(sites.c.key == key)).first()
    return _site(row) if row is not None else None


def find_keys(connection: Connection, actor: Actor, site_id: str) -> list[SiteKey]:
    """A site's keys, oldest first, with what they sign with: for checking, never for showing."""
    wanted = (site_keys.c.organisation_id == actor.organisation_id) & (
        site_keys.c.site_id == site_id
    )
    order = site_keys.c.created_at
    return [
        _key(row) for row in connection.execute(select(site_keys).where(wanted).order_by(order))
    ]


def find_keys_by_site(connection: Connection, actor: Actor) -> dict[str, list[SiteKey]]:
    """The keys of all the organisation's sites, by site id."""
    mine = site_keys.c.organisation_id == actor.organisation_id
    found: dict[str, list[SiteKey]] = {}
    for row in connection.execute(select(site_keys).where(mine).order_by(site_keys.c.created_at)):
        found.setdefault(row.site_id, []).append(_key(row))
    return found


def find_all_origins(connection: Connection) -> dict[str, frozenset[str]]:
    """Where the pages of every site are, by site id; for doors that must know before they know who asks."""
    rows = connection.execute(select(sites.c.id, sites.c.origins))
    return {row.id: frozenset(_decode_origins(row.origins)) for row in rows}


def _site(row: Row[Any]) -> Site:
    return Site(
        id=row.id,
        organisation_id=row.organisation_id,
        key=row.key,
        name=row.name,
        origins=_decode_origins(row.origins),
        languages=_decode_languages(row.languages),
        look=_decode_look(row.look),
        texts=_decode_texts(row.texts),
        after_close=row.after_close,
        when_away=row.when_away,
    )


def _key(row: Row[Any]) -> SiteKey:
    algorithm: Algorithm = row.algorithm
    return SiteKey(row.kid, row.site_id, algorithm, row.material, row.created_at)
