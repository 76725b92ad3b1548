"""The doors of organisations and sites over HTTP."""

from typing import Any

import msgspec
from litestar import Router, delete, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody

from balie.edge.auth import CurrentAgent
from balie.edge.policy import Policy
from balie.edge.ports import Ports
from balie.kernel.actor import AgentActor
from balie.organisations import queries, rules
from balie.organisations.commands import OrganisationChange, OrganisationCommands, SiteChange
from balie.organisations.model import (
    AfterClose,
    Algorithm,
    Language,
    Look,
    Organisation,
    Position,
    Shape,
    Site,
    SiteKey,
    Texts,
    WhenAway,
)

AGENT = {"policy": Policy.AGENT}
ADMIN = {"policy": Policy.ADMIN}

PortsIn = NamedDependency[Ports]
Commands = NamedDependency[OrganisationCommands]


class LookView(msgspec.Struct, frozen=True, kw_only=True):
    """A look, its accent made readable: `accent_ink` stands on `accent`, in light and in dark."""

    shape: Shape
    position: Position
    offset: int
    accent: str
    accent_ink: str
    accent_dark: str
    accent_dark_ink: str


class OwnLookView(LookView, frozen=True, kw_only=True):
    """For administrators: also the colour as it was asked for, and whether it had to change."""

    accent_asked: str
    accent_corrected: bool


class KeyView(msgspec.Struct, frozen=True):
    """A key without what it signs with; `created_at` in milliseconds."""

    kid: str
    algorithm: Algorithm
    created_at: int


class KeyMade(msgspec.Struct, frozen=True, omit_defaults=True):
    """A new key. `secret` is shown this once, and only for HS256."""

    kid: str
    algorithm: Algorithm
    created_at: int
    secret: str | None = None


class SiteName(msgspec.Struct, frozen=True):
    """A site as every agent may see it."""

    id: str
    name: str


class SiteView(msgspec.Struct, frozen=True, kw_only=True):
    """A site as its administrators see it."""

    id: str
    key: str
    name: str
    origins: tuple[str, ...]
    languages: tuple[Language, ...]
    look: OwnLookView
    texts: dict[Language, Texts]
    after_close: AfterClose
    when_away: WhenAway
    keys: list[KeyView]


class SiteList(msgspec.Struct, frozen=True):
    """All sites, for administrators."""

    data: list[SiteView]
    next_cursor: str | None = None


class SiteNames(msgspec.Struct, frozen=True):
    """All sites by name, for other agents."""

    data: list[SiteName]
    next_cursor: str | None = None


class NewSite(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    origins: tuple[str, ...] = ()
    languages: tuple[Language, ...] = ("nl", "en")
    look: Look | None = None
    texts: dict[Language, Texts] | None = None
    after_close: AfterClose | None = None
    when_away: WhenAway | None = None


class LookChange(msgspec.Struct, frozen=True, kw_only=True):
    """What of a look is to change."""

    shape: Shape | None = None
    position: Position | None = None
    offset: int | None = None
    accent: str | None = None


class SitePatch(msgspec.Struct, frozen=True, kw_only=True):
    """What of a site is to change; what is left out stays."""

    name: str | None = None
    origins: tuple[str, ...] | None = None
    languages: tuple[Language, ...] | None = None
    look: LookChange | None = None
    texts: dict[Language, Texts] | None = None
    after_close: AfterClose | None = None
    when_away: WhenAway | None = None


class NewKey(msgspec.Struct, frozen=True):
    algorithm: Algorithm
    public_key: str | None = None
    """PEM of an Ed25519 public key; for EdDSA only."""


def routes(ports: Ports, commands: OrganisationCommands) -> Router:
    """The routes of this room."""
    return Router(
        path="/api/v1",
        route_handlers=[
            show_organisation,
            change_organisation,
            list_sites,
            create_site,
            show_site,
            change_site,
            create_key,
            delete_key,
        ],
        dependencies={
            "ports": Provide(lambda: ports, sync_to_thread=False),
            "organisations": Provide(lambda: commands, sync_to_thread=False),
        },
        tags=["organisations"],
    )


@get("/organisation", opt=AGENT)
async def show_organisation(actor: CurrentAgent, ports: PortsIn) -> Organisation:
    """The organisation that one works for."""
    return await ports.store.read(
        lambda c: queries.find_organisation(c, actor), of=actor.organisation_id
    )


@patch("/organisation", opt=ADMIN)
async def change_organisation(
    actor: CurrentAgent,
    organisations: Commands,
    data: JSONBody[OrganisationChange],
) -> Organisation:
    """Change its name, language or how many days it keeps conversations."""
    return await organisations.change_organisation(actor, data)


@get("/sites", opt=AGENT)
async def list_sites(actor: CurrentAgent, ports: PortsIn) -> SiteList | SiteNames:
    """All sites: whole for administrators, by name for other agents."""
    sites, keys = await ports.store.read(
        lambda c: (queries.find_sites(c, actor), queries.find_keys_by_site(c, actor)),
        of=actor.organisation_id,
    )
    if not actor.administers:
        return SiteNames([SiteName(site.id, site.name) for site in sites])
    return SiteList([_view(site, keys.get(site.id, [])) for site in sites])


@post("/sites", opt=ADMIN)
async def create_site(
    actor: CurrentAgent,
    organisations: Commands,
    data: JSONBody[NewSite],
) -> SiteView:
    """Make a site; its key is drawn."""
    wish = SiteChange(**msgspec.structs.asdict(data))
    return _view(await organisations.create_site(actor, wish), [])


@get("/sites/{site_id:str}", opt=ADMIN)
async def show_site(actor: CurrentAgent, ports: PortsIn, site_id: FromPath[str]) -> SiteView:
    """One site."""
    return await _shown(ports, actor, site_id)


@patch("/sites/{site_id:str}", opt=ADMIN)
async def change_site(
    actor: CurrentAgent,
    ports: PortsIn,
    organisations: Commands,
    site_id: FromPath[str],
    data: JSONBody[SitePatch],
) -> SiteView:
    """Change a site; of `look` and `texts` only what is given."""
    look = None
    if data.look is not None:
        site = await ports.store.read(
            lambda c: queries.find_site(c, actor, site_id), of=actor.organisation_id
        )
        look = msgspec.structs.replace(site.look, **_given(data.look))
    change = SiteChange(**msgspec.structs.asdict(data) | {"look": look})
    await organisations.change_site(actor, site_id, change)
    return await _shown(ports, actor, site_id)


@post("/sites/{site_id:str}/keys", opt=ADMIN)
async def create_key(
    actor: CurrentAgent,
    organisations: Commands,
    site_id: FromPath[str],
    data: JSONBody[NewKey],
) -> KeyMade:
    """Make a key that signs who a visitor is."""
    key = await organisations.create_key(actor, site_id, data.algorithm, data.public_key)
    secret = key.material if key.algorithm == "HS256" else None
    return KeyMade(key.kid, key.algorithm, key.created_at, secret)


@delete("/sites/{site_id:str}/keys/{kid:str}", opt=ADMIN)
async def delete_key(
    actor: CurrentAgent,
    organisations: Commands,
    site_id: FromPath[str],
    kid: FromPath[str],
) -> None:
    """Let a key count no longer."""
    await organisations.delete_key(actor, site_id, kid)


def look_view(look: Look) -> LookView:
    """A look as the widget needs it."""
    accent = rules.derive_accent(look.accent)
    return LookView(
        shape=look.shape,
        position=look.position,
        offset=look.offset,
        accent=accent.light,
        accent_ink=accent.light_ink,
        accent_dark=accent.dark,
        accent_dark_ink=accent.dark_ink,
    )


async def _shown(ports: Ports, actor: AgentActor, site_id: str) -> SiteView:
    site, keys = await ports.store.read(
        lambda c: (queries.find_site(c, actor, site_id), queries.find_keys(c, actor, site_id)),
        of=actor.organisation_id,
    )
    return _view(site, keys)


def _view(site: Site, keys: list[SiteKey]) -> SiteView:
    asked = site.look.accent
    look = OwnLookView(
        **msgspec.structs.asdict(look_view(site.look)),
        accent_asked=asked,
        accent_corrected=rules.derive_accent(asked).corrected,
    )
    return SiteView(
        id=site.id,
        key=site.key,
        name=site.name,
        origins=site.origins,
        languages=site.languages,
        look=look,
        texts=site.texts,
        after_close=site.after_close,
        when_away=site.when_away,
        keys=[KeyView(key.kid, key.algorithm, key.created_at) for key in keys],
    )


def _given(change: LookChange) -> dict[str, Any]:
    return {
        name: value for name, value in msgspec.structs.asdict(change).items() if value is not None
    }
