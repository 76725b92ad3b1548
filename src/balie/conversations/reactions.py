"""What conversations do when a person is looked for, handed over or erased."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, delete, select, update

from balie.contacts.model import visitors
from balie.conversations.model import conversations, files
from balie.jobs import queue
from balie.kernel.erasure import Gone, Person, PersonErased
from balie.store.cursors import events_went
from balie.store.keepers import Document, Keeper, chunks
from balie.store.schema import events
from balie.store.scope import NOBODY

GIANT = 500
"""Events above which a conversation is deleted in pieces: NOBODY's meanwhile, so that nobody reaches it."""

_AUTHOR = "visitor:"


def trace(connection: Connection, person: Person) -> Person:
    """Conversations of these visitors and contacts, who wrote in them under an earlier id, and files."""
    ids = _conversations(connection, person)
    wider = replace(person, conversation_ids=ids)
    earlier = _earlier_selves(connection, wider)
    wider = replace(wider, visitor_ids=person.visitor_ids | earlier)
    return replace(wider, file_ids=_files(connection, wider))


def _conversations(connection: Connection, person: Person) -> frozenset[str]:
    c = conversations.c
    found = set(person.conversation_ids)
    for column, wanted in (
        (c.visitor_id, person.visitor_ids),
        (c.contact_id, person.contact_ids),
    ):
        for ids in chunks(wanted):
            query = select(c.id).where(c.organisation_id == person.organisation_id, column.in_(ids))
            found.update(map(str, connection.execute(query).scalars()))
    return frozenset(found)


def _earlier_selves(connection: Connection, person: Person) -> frozenset[str]:
    """Ids under which visitors wrote here, but for those that by now are somebody else."""
    wrote: set[str] = set()
    for ids in chunks(person.conversation_ids):
        query = (
            select(events.c.author_id)
            .where(events.c.conversation_id.in_(ids), events.c.author_id.startswith(_AUTHOR))
            .distinct()
        )
        wrote.update(each.removeprefix(_AUTHOR) for each in connection.execute(query).scalars())
    others: set[str] = set()
    for ids in chunks(wrote - person.visitor_ids):
        query = select(visitors.c.id).where(
            visitors.c.id.in_(ids),
            visitors.c.contact_id.is_not(None),
            visitors.c.contact_id.not_in(sorted(person.contact_ids)),
        )
        others.update(map(str, connection.execute(query).scalars()))
    return frozenset(wrote - others)


def _files(connection: Connection, person: Person) -> frozenset[str]:
    found = set(person.file_ids)
    loose = files.c.conversation_id.is_(None) & (files.c.organisation_id == person.organisation_id)
    for ids in chunks(person.conversation_ids):
        query = select(files.c.id).where(files.c.conversation_id.in_(ids))
        found.update(map(str, connection.execute(query).scalars()))
    for ids in chunks(f"{_AUTHOR}{each}" for each in person.visitor_ids):
        query = select(files.c.id).where(loose, files.c.author_id.in_(ids))
        found.update(map(str, connection.execute(query).scalars()))
    return frozenset(found)


def export(connection: Connection, person: Person) -> Iterator[Document]:
    """`files.json`, and each conversation with every event of its log, notes and labels too."""
    yield Document("files.json", {"files": list(_file_rows(connection, person))})
    for conversation_id in sorted(person.conversation_ids):
        query = select(conversations).where(conversations.c.id == conversation_id)
        row = connection.execute(query).mappings().first()
        if row is not None:
            content = {"conversation": dict(row), "events": _log(connection, conversation_id)}
            yield Document(f"conversations/{conversation_id}.json", content)


def _file_rows(connection: Connection, person: Person) -> Iterator[dict[str, Any]]:
    for ids in chunks(person.file_ids):
        query = select(files).where(files.c.id.in_(ids)).order_by(files.c.id)
        yield from (dict(row) for row in connection.execute(query).mappings())


def _log(connection: Connection, conversation_id: str) -> list[dict[str, Any]]:
    c = events.c
    query = select(c.seq, c.at, c.author, c.client_message_id, c.payload)
    return [
        {
            "seq": row.seq,
            "at": row.at,
            "author": msgspec.Raw(row.author.encode()),
            "client_message_id": row.client_message_id,
            "payload": msgspec.Raw(row.payload.encode()),
        }
        for row in connection.execute(
            query.where(c.conversation_id == conversation_id).order_by(c.seq)
        )
    ]


def erase(connection: Connection, event: PersonErased) -> Gone:
    """The person's conversations and files are no more."""
    person = event.person
    own = conversations.c.organisation_id == person.organisation_id
    counts = {"conversations": 0, "events": 0, "files": 0}
    for ids in chunks(person.conversation_ids):
        gone = delete_conversations(connection, own, ids)
        for kind in counts:
            counts[kind] += gone.counts[kind]
    for ids in chunks(person.file_ids):
        counts["files"] += connection.execute(delete(files).where(files.c.id.in_(ids))).rowcount
    return Gone(counts, tuple(sorted(person.conversation_ids)), tuple(sorted(person.file_ids)))


def delete_conversations(
    connection: Connection, condition: ColumnElement[bool], ids: list[str]
) -> Gone:
    """Delete those of `ids` for which `condition` holds, with their events and files. Giants are put out of
    reach, for the sweep `giants` to finish."""
    c = conversations.c
    # Held from here on, in the order in which writers hold them: nobody adds to what is about to go.
    query = select(c.id, c.last_seq).where(c.id.in_(ids), condition).order_by(c.id)
    rows = connection.execute(query.with_for_update()).all()
    small = [row.id for row in rows if row.last_seq <= GIANT]
    giants = [row.id for row in rows if row.last_seq > GIANT]
    everything = small + giants
    gone_files = connection.execute(
        select(files.c.id).where(files.c.conversation_id.in_(everything))
    ).scalars()
    file_ids = tuple(map(str, gone_files))
    connection.execute(delete(files).where(files.c.conversation_id.in_(everything)))
    gone_events = connection.execute(delete(events).where(events.c.conversation_id.in_(small)))
    events_went(connection)
    queue.forget(connection, everything)
    connection.execute(delete(conversations).where(c.id.in_(small)))
    connection.execute(
        update(conversations)
        .where(c.id.in_(giants))
        .values(organisation_id=NOBODY, visitor_id="", contact_id=None)
    )
    counts = {
        "conversations": len(everything),
        "events": gone_events.rowcount,
        "files": len(file_ids),
    }
    return Gone(counts, tuple(everything), file_ids)


KEEPER = Keeper(
    room="conversations",
    tables=(conversations, events, files),
    trace=trace,
    export=export,
)
