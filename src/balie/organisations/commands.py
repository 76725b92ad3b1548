"""The only writer of organisations and sites."""

import base64
from collections.abc import Callable
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, delete, insert, update

from balie.edge.policy import Policy, require
from balie.edge.ports import Ports
from balie.kernel.actor import Actor, AgentActor, SystemActor
from balie.kernel.errors import MalformedError, NotFoundError
from balie.kernel.tidings import SiteChanged
from balie.organisations import queries, rules
from balie.organisations.model import (
    DEFAULT_RETENTION_DAYS,
    AfterClose,
    Algorithm,
    Language,
    Look,
    Organisation,
    Site,
    SiteKey,
    Texts,
    WhenAway,
    organisations,
    site_keys,
    sites,
)
from balie.store.scope import EVERYWHERE

T = TypeVar("T")

KEY_BYTES = 10
KID_BYTES = 5
SECRET_BYTES = 32


class SiteChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of a site; None leaves a field as it is."""

    name: str | None = None
    origins: tuple[str, ...] | None = None
    languages: tuple[Language, ...] | None = None
    look: Look | None = None
    texts: dict[Language, Texts] | None = None
    after_close: AfterClose | None = None
    when_away: WhenAway | None = None


class OrganisationChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of an organisation; None leaves a field as it is."""

    name: str | None = None
    language: Language | None = None
    retention_days: int | None = None


class OrganisationCommands:
    """Makes and changes organisations, sites and keys. `on_site_changed` is told after each commit."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.on_site_changed: list[Callable[[Site], None]] = []

    async def create_organisation(self, name: str, language: Language) -> Organisation:
        """A new tenant. Raises EmptyError, TooLongError for its name."""
        made = self._new_organisation(name, language)
        row = self._born(_organisation_row(made))
        await self._ports.store.write(
            lambda c: c.execute(insert(organisations), row).rowcount, of=made.id
        )
        return made

    async def found(
        self,
        name: str,
        language: Language,
        wish: SiteChange,
        people: Callable[[Connection, Organisation], T],
    ) -> tuple[Organisation, Site, T]:
        """A new tenant with its first site and the `people` who are written beside them: all or nothing.

        Raises what the rules and `people` raise.
        """
        made = self._new_organisation(name, language)
        inside = SystemActor(organisation_id=made.id)
        site = _changed_site(self._blank_site(inside), wish)

        def write(connection: Connection) -> T:
            connection.execute(insert(organisations), self._born(_organisation_row(made)))
            connection.execute(insert(sites), self._born(_site_row(site)))
            self._ports.tell(connection, made.id, SiteChanged(site.key))
            return people(connection, made)

        # Whether an address is in use already is asked of everybody.
        written = await self._ports.store.write(write, of=EVERYWHERE)
        return made, self._tell(site), written

    async def change_organisation(self, actor: Actor, change: OrganisationChange) -> Organisation:
        """Raises ForbiddenError, NotFoundError, and what the rules raise."""
        _require_admin(actor)

        def write(connection: Connection) -> Organisation:
            changed = _changed_organisation(queries.find_organisation(connection, actor), change)
            wanted = organisations.c.organisation_id == changed.id
            connection.execute(
                update(organisations).where(wanted).values(**_organisation_row(changed))
            )
            return changed

        return await self._ports.store.write(write, of=actor.organisation_id)

    async def create_site(self, actor: Actor, wish: SiteChange) -> Site:
        """A new site with a key of its own. Raises what the rules raise."""
        _require_admin(actor)
        site = _changed_site(self._blank_site(actor), wish)
        row = self._born(_site_row(site))

        def write(connection: Connection) -> Site:
            queries.find_organisation(connection, actor)
            connection.execute(insert(sites), row)
            self._ports.tell(connection, site.organisation_id, SiteChanged(site.key))
            return site

        return self._tell(await self._ports.store.write(write, of=actor.organisation_id))

    async def change_site(self, actor: Actor, site_id: str, change: SiteChange) -> Site:
        """Raises ForbiddenError, NotFoundError, and what the rules raise."""
        _require_admin(actor)

        def write(connection: Connection) -> Site:
            site = _changed_site(queries.find_site(connection, actor, site_id), change)
            connection.execute(update(sites).where(sites.c.id == site.id).values(**_site_row(site)))
            self._ports.tell(connection, site.organisation_id, SiteChanged(site.key))
            return site

        return self._tell(await self._ports.store.write(write, of=actor.organisation_id))

    async def create_key(
        self, actor: Actor, site_id: str, algorithm: Algorithm, public_key: str | None = None
    ) -> SiteKey:
        """A key that signs visitor identities: a secret made here, or a public key handed in as PEM.

        Raises ConflictError for a third key, MalformedError for what is no Ed25519 public key.
        """
        _require_admin(actor)
        key = SiteKey(
            base64.b32encode(self._ports.entropy(KID_BYTES)).decode().lower(),
            site_id,
            algorithm,
            self._material(algorithm, public_key),
            self._ports.clock(),
        )

        def write(connection: Connection) -> SiteKey:
            queries.find_site(connection, actor, site_id)
            others = queries.find_keys(connection, actor, site_id)
            rules.refuse_third_key(others)
            made = rules.after_others(key, others)
            row = msgspec.structs.asdict(made) | {"organisation_id": actor.organisation_id}
            connection.execute(insert(site_keys), row)
            return made

        return await self._ports.store.write(write, of=actor.organisation_id)

    async def delete_key(self, actor: Actor, site_id: str, kid: str) -> None:
        """What the key signed counts no longer. Raises NotFoundError."""
        _require_admin(actor)
        wanted = (
            (site_keys.c.organisation_id == actor.organisation_id)
            & (site_keys.c.site_id == site_id)
            & (site_keys.c.kid == kid)
        )

        def write(connection: Connection) -> None:
            if connection.execute(delete(site_keys).where(wanted)).rowcount == 0:
                raise NotFoundError("no such key")

        await self._ports.store.write(write, of=actor.organisation_id)

    def _new_organisation(self, name: str, language: Language) -> Organisation:
        checked = rules.checked_name(name)
        return Organisation(self._ports.new_id(), checked, language, DEFAULT_RETENTION_DAYS)

    def _born(self, row: dict[str, object]) -> dict[str, object]:
        return row | {"created_at": self._ports.clock()}

    def _blank_site(self, actor: Actor) -> Site:
        key = base64.b32encode(self._ports.entropy(KEY_BYTES)).decode().lower()
        return Site(
            id=self._ports.new_id(),
            organisation_id=actor.organisation_id,
            key=key,
            name="",
            origins=(),
            languages=("nl", "en"),
            look=Look(),
            texts={},
            after_close="rate",
            when_away="message",
        )

    def _material(self, algorithm: Algorithm, public_key: str | None) -> str:
        if algorithm == "HS256":
            return base64.urlsafe_b64encode(self._ports.entropy(SECRET_BYTES)).decode().rstrip("=")
        return _checked_public_key(public_key or "")

    def _tell(self, site: Site) -> Site:
        for told in self.on_site_changed:
            told(site)
        return site


def _require_admin(actor: Actor) -> None:
    """The route asks this too; whoever comes another way is asked here."""
    if isinstance(actor, AgentActor):
        require(Policy.ADMIN, actor)


def _changed_organisation(old: Organisation, change: OrganisationChange) -> Organisation:
    return Organisation(
        old.id,
        old.name if change.name is None else rules.checked_name(change.name),
        change.language or old.language,
        old.retention_days
        if change.retention_days is None
        else rules.checked_retention(change.retention_days),
    )


def _changed_site(old: Site, change: SiteChange) -> Site:
    return Site(
        id=old.id,
        organisation_id=old.organisation_id,
        key=old.key,
        name=rules.checked_name(old.name if change.name is None else change.name),
        origins=old.origins if change.origins is None else rules.checked_origins(change.origins),
        languages=rules.checked_languages(
            old.languages if change.languages is None else change.languages
        ),
        look=rules.checked_look(change.look or old.look),
        texts=old.texts | rules.checked_texts(change.texts or {}),
        after_close=change.after_close or old.after_close,
        when_away=change.when_away or old.when_away,
    )


def _organisation_row(organisation: Organisation) -> dict[str, object]:
    return {
        "organisation_id": organisation.id,
        "name": organisation.name,
        "language": organisation.language,
        "retention_days": organisation.retention_days,
    }


def _site_row(site: Site) -> dict[str, object]:
    row = msgspec.structs.asdict(site)
    for name in ("origins", "languages", "look", "texts"):
        row[name] = msgspec.json.encode(row[name]).decode()
    return row


def _checked_public_key(pem: str) -> str:
    # Imported here: few ever hand in a key, and the library is large.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        PublicFormat,
        load_pem_public_key,
    )

    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise MalformedError("public_key: an Ed25519 public key as PEM is needed")
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
