"""The doors to a whole person over HTTP, for administrators: hand over everything, erase everything."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from typing import IO

import msgspec
from litestar import Router, get, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Stream

from balie.contacts.erasing import Erasing
from balie.edge.policy import Policy
from balie.kernel.actor import AgentActor
from balie.kernel.erasure import Person
from balie.kernel.errors import NotFoundError

ADMIN = {"policy": Policy.ADMIN}
PIECE = 256 * 1024
IN_MEMORY = 4 * 1024 * 1024


class ErasedView(msgspec.Struct, frozen=True):
    """How many of each were removed; all 0 for somebody who was erased before."""

    visitors: int = 0
    contacts: int = 0
    conversations: int = 0
    events: int = 0
    files: int = 0


class ExtentView(msgspec.Struct, frozen=True):
    """How much there is of a person: what an export holds and an erasure removes."""

    visitors: int
    contacts: int
    conversations: int
    files: int


def routes(erasing: Erasing) -> Router:
    """The routes of this room."""
    return Router(
        path="/api/v1",
        route_handlers=[show_extent, export_visitor, erase_visitor],
        dependencies={"erasing": Provide(lambda: erasing, sync_to_thread=False)},
        tags=["visitors"],
    )


@get("/visitors/{visitor_id:str}/extent", opt=ADMIN)
async def show_extent(
    actor: NamedDependency[AgentActor],
    erasing: NamedDependency[Erasing],
    visitor_id: FromPath[str],
) -> ExtentView:
    """How much there is of the person that this visitor is, before anybody decides."""
    person = await erasing.find(_seed(actor, visitor_id))
    return ExtentView(
        visitors=len(person.visitor_ids),
        contacts=len(person.contact_ids),
        conversations=len(person.conversation_ids),
        files=len(person.file_ids),
    )


@get("/visitors/{visitor_id:str}/export", opt=ADMIN, media_type="application/zip")
async def export_visitor(
    actor: NamedDependency[AgentActor],
    erasing: NamedDependency[Erasing],
    visitor_id: FromPath[str],
) -> Stream:
    """Everything of the person that this visitor is: a zip of JSON documents and files."""
    # Never under a name: it is gone when it is closed, also after a crash.
    archive = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed when it was sent
    try:
        await erasing.export(_seed(actor, visitor_id), archive)
    except BaseException:
        archive.close()
        raise
    return Stream(
        _pieces(archive),
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="visitor-{visitor_id[:13]}.zip"',
            "Cache-Control": "no-store",
        },
    )


async def _pieces(archive: IO[bytes]) -> AsyncIterator[bytes]:
    with archive:
        archive.seek(0)
        while piece := await asyncio.to_thread(archive.read, PIECE):
            yield piece


@put("/visitors/{visitor_id:str}/erasure", opt=ADMIN)
async def erase_visitor(
    actor: NamedDependency[AgentActor],
    erasing: NamedDependency[Erasing],
    visitor_id: FromPath[str],
) -> ErasedView:
    """Erase the person that this visitor is, for good; again is fine."""
    try:
        _, erased = await erasing.erase(_seed(actor, visitor_id), f"agent:{actor.agent_id}")
    except NotFoundError:
        if not await erasing.was_erased(actor.organisation_id, visitor_id):
            raise
        return ErasedView()
    return msgspec.convert(erased.counts, ErasedView)


def _seed(actor: AgentActor, visitor_id: str) -> Person:
    return Person(organisation_id=actor.organisation_id, visitor_ids=frozenset({visitor_id}))
