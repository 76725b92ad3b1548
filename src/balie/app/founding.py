"""The first organisation, its site and its owner; and what the demo shop begins with."""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any

import jwt
import msgspec

from balie.agents.commands import NewAgent
from balie.agents.model import Agent
from balie.agents.queries import find_by_email
from balie.app.house import House
from balie.edge.text import clean_email
from balie.kernel.actor import Role as AgentRole
from balie.kernel.actor import SystemActor
from balie.kernel.errors import NotFoundError
from balie.organisations.commands import SiteChange
from balie.organisations.model import Language, Look, Site, SiteKey, Texts

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class Login(msgspec.Struct, frozen=True):
    """An agent who can sign in."""

    email: str
    password: str


class Founded(msgspec.Struct, frozen=True):
    """What `found` made."""

    organisation_id: str
    site: Site
    owner: Agent
    password: str


def new_password() -> str:
    """Four groups of letters and figures that are not mistaken for each other: some 79 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


async def found(
    house: House,
    *,
    organisation: str,
    site: SiteChange,
    owner: NewAgent,
    password: str | None = None,
) -> Founded:
    """Make an organisation with one site and an owner who can sign in at once.

    Raises ConflictError when the owner's address is in use, and what the rules raise.
    """
    made = await house.organisations.create_organisation(organisation, owner.language)
    actor = SystemActor(organisation_id=made.id)
    first_site = await house.organisations.create_site(actor, site)
    chosen = password or new_password()
    agent = await enrol(house, actor, owner, chosen)
    return Founded(made.id, first_site, agent, chosen)


async def enrol(house: House, actor: SystemActor, who: NewAgent, password: str) -> Agent:
    """Make an agent who can sign in at once, without a link."""
    _, link = await house.agents.commands.create_agent(actor, who)
    return await house.agents.commands.accept(link.url.partition("#")[2], None, password)


async def reset_password(house: House, email: str, password: str | None = None) -> str:
    """Give somebody another password, and end all his sessions. Returns the password.

    Raises NotFoundError for an address that nobody has.
    """
    address = clean_email(email)
    found_agent = await house.store.read(lambda c: find_by_email(c, address))
    if found_agent is None:
        raise NotFoundError(f"nobody here has the address {email}")
    agent = found_agent[0]
    actor = SystemActor(organisation_id=agent.organisation_id)
    _, link = await house.agents.commands.invite(actor, agent.id)
    chosen = password or new_password()
    await house.agents.commands.accept(link.url.partition("#")[2], None, chosen)
    return chosen


# The demo.

DEMO_FILE = "demo.json"


class Demo(msgspec.Struct, frozen=True):
    """What the demo has to remember between runs. The passwords are only of this demo."""

    organisation_id: str
    site_id: str
    site_key: str
    agents: list[Login]
    identity_kid: str
    identity_secret: str


class Somebody(msgspec.Struct, frozen=True):
    name: str
    email: str
    role: AgentRole
    language: Language = "nl"


STAFF = (
    Somebody("Noor van Dijk", "noor@tegenwind.example", "owner"),
    Somebody("Sem Bakker", "sem@tegenwind.example", "agent"),
)


def read_demo(folder: Path) -> Demo | None:
    """What an earlier run of the demo left; None at the first."""
    with contextlib.suppress(FileNotFoundError):
        return msgspec.json.decode((folder / DEMO_FILE).read_bytes(), type=Demo)
    return None


async def prepare_demo(house: House, shop_name: str, shop_origin: str) -> Demo:
    """The demo's organisation, made at the first run; its site may be used from `shop_origin`."""
    demo = read_demo(house.folder)
    if demo is None:
        demo = await _found_demo(house, shop_name, shop_origin)
        _write_demo(house.folder, demo)
    actor = SystemActor(organisation_id=demo.organisation_id)
    await house.organisations.change_site(actor, demo.site_id, SiteChange(origins=(shop_origin,)))
    return demo


async def _found_demo(house: House, shop_name: str, shop_origin: str) -> Demo:
    owner, *others = STAFF
    made = await found(
        house,
        organisation=shop_name,
        site=SiteChange(
            name=shop_name,
            origins=(shop_origin,),
            languages=("nl", "en"),
            look=Look(),
            texts={"nl": Texts(), "en": Texts()},
        ),
        owner=NewAgent(name=owner.name, email=owner.email, role="owner", language=owner.language),
    )
    logins = [Login(owner.email, made.password)]
    actor = SystemActor(organisation_id=made.organisation_id)
    for person in others:
        password = new_password()
        await enrol(
            house,
            actor,
            NewAgent(name=person.name, email=person.email, role=person.role),
            password,
        )
        logins.append(Login(person.email, password))
    key: SiteKey = await house.organisations.create_key(actor, made.site.id, "HS256", None)
    return Demo(made.organisation_id, made.site.id, made.site.key, logins, key.kid, key.material)


def _write_demo(folder: Path, demo: Demo) -> None:
    draft = folder / f"{DEMO_FILE}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(demo), indent=2))
    draft.replace(folder / DEMO_FILE)


def sign_identity(demo: Demo, claims: dict[str, Any]) -> str:
    """The JWT with which the demo shop's own server says who its customer is."""
    return jwt.encode(
        claims, demo.identity_secret, algorithm="HS256", headers={"kid": demo.identity_kid}
    )
