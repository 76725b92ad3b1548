"""What the demo shop begins with, and keeps between its runs."""

import contextlib
import os
from pathlib import Path
from typing import Any

import jwt
import msgspec

from balie.agents.commands import NewAgent
from balie.agents.queries import find_by_email
from balie.agents.setup import (
    Beginning,
    create_agent,
    create_organisation_site_owner,
    drawn_password,
    reset_password,
)
from balie.app import data
from balie.app.data import DataError
from balie.app.house import House
from balie.kernel.actor import SystemActor
from balie.organisations.commands import SiteChange
from balie.organisations.model import Look, Site
from balie.organisations.queries import find_sites
from balie.store.scope import EVERYWHERE


class Login(msgspec.Struct, frozen=True):
    """An agent who can sign in."""

    email: str
    password: str


class Demo(msgspec.Struct, frozen=True):
    """What the demo has to remember between runs. The passwords are only of this demo."""

    organisation_id: str
    site_id: str
    site_key: str
    agents: list[Login]
    identity_kid: str
    identity_secret: str


SHOP_LOOK = Look(accent="#05603f")
"""The shop's own green."""
OWNER = ("Noor van Dijk", "noor@tegenwind.example")
COLLEAGUE = ("Sem Bakker", "sem@tegenwind.example")


def read_demo(folder: Path) -> Demo | None:
    """What an earlier run of the demo left; None at the first. Raises DataError."""
    path = folder / data.DEMO
    with contextlib.suppress(FileNotFoundError):
        try:
            return msgspec.json.decode(path.read_bytes(), type=Demo)
        except msgspec.MsgspecError:
            raise DataError(f"{path} is damaged; put it back from a backup") from None
    return None


async def prepare_demo(house: House, shop_name: str, shop_origin: str) -> Demo:
    """The demo's organisation, made at the first run; its site may be used from `shop_origin`."""
    demo = read_demo(house.folder)
    if demo is None:
        demo = await _found_demo(house, shop_name, shop_origin)
        _write_demo(house.folder, demo)
    actor = SystemActor(organisation_id=demo.organisation_id)
    change = SiteChange(origins=(shop_origin,))
    await house.organisations.change_site(actor, demo.site_id, change)
    return demo


async def _found_demo(house: House, shop_name: str, shop_origin: str) -> Demo:
    """Also after a start that was ended before it wrote down what it made: then that is gone on with."""
    made = await house.store.read(lambda c: find_by_email(c, OWNER[1]), of=EVERYWHERE)
    if made is None:
        site, owner = await _begin(house, shop_name, shop_origin)
    else:
        actor = SystemActor(organisation_id=made[0].organisation_id)
        site = (await house.store.read(lambda c: find_sites(c, actor), of=actor.organisation_id))[0]
        owner = await _readmit(house, OWNER[1])
    actor = SystemActor(organisation_id=site.organisation_id)
    colleague = await _hire(house, site.organisation_id)
    await house.organisations.change_site(actor, site.id, SiteChange(look=SHOP_LOOK))
    key = await house.organisations.create_key(actor, site.id, "HS256", None)
    return Demo(site.organisation_id, site.id, site.key, [owner, colleague], key.kid, key.material)


async def _begin(house: House, shop_name: str, shop_origin: str) -> tuple[Site, Login]:
    name, email = OWNER
    begun = await create_organisation_site_owner(
        house.organisations,
        house.agents,
        Beginning(
            organisation=shop_name,
            site=shop_name,
            origins=(shop_origin,),
            owner=name,
            email=email,
        ),
    )
    return begun.site, Login(email, begun.password)


async def _hire(house: House, organisation_id: str) -> Login:
    name, email = COLLEAGUE
    if await house.store.read(lambda c: find_by_email(c, email), of=EVERYWHERE) is not None:
        return await _readmit(house, email)
    password = drawn_password(os.urandom)
    wish = NewAgent(name=name, email=email, role="agent")
    await create_agent(house.agents, organisation_id, wish, password)
    return Login(email, password)


async def _readmit(house: House, email: str) -> Login:
    """A new password for somebody whose first one was never told."""
    password = drawn_password(os.urandom)
    link = await reset_password(house.agents, email)
    await house.agents.commands.accept(link.url.partition("#")[2], None, password)
    return Login(email, password)


def _write_demo(folder: Path, demo: Demo) -> None:
    draft = folder / f"{data.DEMO}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(demo), indent=2))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / data.DEMO)


def sign_identity(demo: Demo, claims: dict[str, Any]) -> str:
    """The JWT with which the demo shop's own server says who its customer is."""
    return jwt.encode(
        claims, demo.identity_secret, algorithm="HS256", headers={"kid": demo.identity_kid}
    )
