"""What `balie export`, `balie erase` and `balie retention` do."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from balie.app import upkeep
from balie.app.house import House
from balie.contacts.erasing import Erased, Progress
from balie.contacts.queries import find_by_email, find_organisation_of
from balie.edge.text import clean_email
from balie.kernel.actor import SystemActor
from balie.kernel.erasure import Person
from balie.kernel.errors import MalformedError, NotFoundError
from balie.organisations.model import Organisation
from balie.organisations.queries import find_all_organisations
from balie.store.scope import EVERYWHERE

BY = "command line"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the command line means: one of the three, and perhaps whose he is (id or name)."""

    visitor: str | None = None
    contact: str | None = None
    email: str | None = None
    organisation: str | None = None


async def find_person(house: House, wanted: Wanted) -> Person:
    """Everything of who is meant. Raises NotFoundError, and MalformedError where it could be several."""
    return await house.erasing.find(await _seed(house, wanted))


async def _seed(house: House, wanted: Wanted) -> Person:
    organisation_id = await _organisation_of(house, wanted)
    if wanted.email is not None:
        actor, email = SystemActor(organisation_id=organisation_id), clean_email(wanted.email)
        found = await house.store.read(lambda c: find_by_email(c, actor, email), of=organisation_id)
        if not (found.visitor_ids or found.contact_ids):
            raise NotFoundError(f"nobody here has the address {wanted.email}")
        return found
    if wanted.visitor is not None:
        ids = frozenset({wanted.visitor.lower()})
        return Person(organisation_id=organisation_id, visitor_ids=ids)
    return Person(
        organisation_id=organisation_id, contact_ids=frozenset({str(wanted.contact).lower()})
    )


async def _organisation_of(house: House, wanted: Wanted) -> str:
    known = await house.store.read(find_all_organisations, of=EVERYWHERE)
    if wanted.organisation is not None:
        return _one_of(known, wanted.organisation).id
    key = wanted.visitor or wanted.contact
    if key is not None:
        found = await house.store.read(
            lambda c: find_organisation_of(c, key.lower()), of=EVERYWHERE
        )
        if found is None:
            raise NotFoundError(f"no such visitor or contact: {key}")
        return found
    if len(known) != 1:
        raise MalformedError("there are several organisations: name one with --organisation")
    return known[0].id


def _one_of(known: list[Organisation], name: str) -> Organisation:
    matching = [each for each in known if name in (each.id, each.name)]
    if not matching:
        raise NotFoundError(f"no such organisation: {name}")
    if len(matching) > 1:
        raise MalformedError(f"several organisations are called {name}: give the id")
    return matching[0]


async def export_person(house: House, person: Person, target: Path, progress: Progress) -> None:
    """Write the archive, under its own name only when it is whole. Raises MalformedError for a place that
    cannot be written."""
    draft = target.with_name(f"{target.name}.part")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise MalformedError(f"{target} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            await house.erasing.export(person, file, progress)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


async def erase_person(house: House, person: Person, progress: Progress) -> Erased:
    """Erase the person."""
    _, erased = await house.erasing.erase(person, BY, progress)
    return erased


class Swept(msgspec.Struct, frozen=True):
    """What goes or went of one organisation; of none of them where it is None."""

    organisation: str | None
    retention_days: int | None
    counts: dict[str, int]


async def sweep(
    house: House, *, dry_run: bool, trust_clock: bool, progress: Callable[[int, int], None]
) -> list[Swept]:
    """Delete what was kept long enough, or only count it. Raises DoubtedClockError."""
    expected = await upkeep.count_all(house)
    if dry_run:
        return await _named(house, expected)
    total, done = sum(sum(kinds.values()) for kinds in expected.values()), 0

    def more(rows: int) -> None:
        nonlocal done
        done += rows
        progress(min(done, total), total)

    return await _named(house, await upkeep.sweep_all(house, more, trust_clock=trust_clock))


async def _named(house: House, counts: upkeep.Counts) -> list[Swept]:
    known = await house.store.read(find_all_organisations, of=EVERYWHERE)
    named = [Swept(each.name, each.retention_days, counts.get(each.id, {})) for each in known]
    return [*named, Swept(None, None, counts.get("", {}))]
