"""The nervous system on one screen: what crosses the rooms, and who reacts to it.

A room that owns a table is a keeper, and reacts to an erasure; what does not stay has a sweep.
"""

from collections.abc import Callable

from sqlalchemy import Connection

from balie.agents import retention as agents_retention
from balie.contacts import reactions as contacts
from balie.conversations import reactions as conversations
from balie.conversations import retention as conversations_retention
from balie.integrations import reactions as integrations
from balie.jobs import retention as jobs
from balie.kernel.erasure import Gone, PersonErased
from balie.organisations import reactions as organisations
from balie.store.keepers import Keeper
from balie.store.sweeps import Sweep

KEEPERS: tuple[Keeper, ...] = (
    organisations.KEEPER,
    agents_retention.KEEPER,
    contacts.KEEPER,
    conversations.KEEPER,
    integrations.KEEPER,
    jobs.KEEPER,
)

Reaction = Callable[[Connection, PersonErased], Gone]

REACTIONS: dict[type, tuple[Reaction, ...]] = {
    PersonErased: (conversations.erase, contacts.erase, jobs.erase),
}
"""Inside the transaction of the event, in this order."""

SWEEPS: tuple[Sweep, ...] = (
    *conversations_retention.SWEEPS,
    *agents_retention.SWEEPS,
    *jobs.SWEEPS,
)
"""In this order: who is left without conversations goes after them."""
