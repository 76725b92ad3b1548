"""Beginnings: a first organisation with a site and an owner, and a way back in for who lost his password.

For whoever holds the machine: the command line, and the demo.
"""

import base64

import msgspec

from balie.agents import queries
from balie.agents.commands import Link, NewAgent
from balie.agents.model import Agent
from balie.agents.room import AgentRoom
from balie.edge.text import clean_email
from balie.kernel.actor import SystemActor
from balie.kernel.errors import NotFoundError
from balie.kernel.ports import Entropy
from balie.organisations.commands import OrganisationCommands, SiteChange
from balie.organisations.model import Language, Organisation, Site
from balie.store.scope import EVERYWHERE

PASSWORD_BYTES = 10


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """What a new organisation begins with. `password` None draws one."""

    organisation: str
    site: str
    origins: tuple[str, ...]
    owner: str
    email: str
    language: Language = "nl"
    password: str | None = None


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What was made. `password` is nowhere else in readable form."""

    organisation: Organisation
    site: Site
    owner: Agent
    password: str


async def create_organisation_site_owner(
    organisations: OrganisationCommands, room: AgentRoom, wish: Beginning
) -> Begun:
    """An organisation that can be worked in at once.

    It is all written in one transaction, or nothing is. Raises ConflictError for an address in use, and
    what the rules raise.
    """
    password = wish.password or drawn_password(room.ports.entropy)
    owner = NewAgent(name=wish.owner, email=wish.email, role="owner", language=wish.language)
    write_owner = await room.commands.owner_to_be(owner, password)
    organisation, site, agent = await organisations.found(
        wish.organisation,
        wish.language,
        SiteChange(name=wish.site, origins=wish.origins),
        lambda connection, made: write_owner(connection, made.id),
    )
    return Begun(organisation=organisation, site=site, owner=agent, password=password)


async def create_agent(
    room: AgentRoom, organisation_id: str, wish: NewAgent, password: str
) -> Agent:
    """An agent who has a password from the start. Raises as `AgentCommands.create_agent` and `accept`."""
    inside = SystemActor(organisation_id=organisation_id)
    _, link = await room.commands.create_agent(inside, wish)
    return await room.commands.accept(link.url.partition("#")[2], None, password)


async def reset_password(room: AgentRoom, email: str) -> Link:
    """A one-time link with which the owner of an address chooses a new password.

    Raises NotFoundError when nobody uses it, ConflictError when he is disabled.
    """
    address = clean_email(email)
    found = await room.ports.store.read(lambda c: queries.find_by_email(c, address), of=EVERYWHERE)
    if found is None:
        raise NotFoundError("nobody has this e-mail address")
    agent, _ = found
    inside = SystemActor(organisation_id=agent.organisation_id)
    _, link = await room.commands.invite(inside, agent.id)
    return link


def drawn_password(entropy: Entropy) -> str:
    """A password of 80 random bits, easy to read aloud: xxxx-xxxx-xxxx-xxxx."""
    text = base64.b32encode(entropy(PASSWORD_BYTES)).decode().lower()
    return "-".join(text[place : place + 4] for place in range(0, len(text), 4))
