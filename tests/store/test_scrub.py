"""What was deleted leaves no byte, wherever in the file it has lain."""

import random
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update

from balie.contacts.model import contacts
from balie.store import sqlite
from balie.store.schema import events, metadata

CANARY = "kanarie-op-de-schijf"


@pytest.fixture
def engine(tmp_path):
    made = sqlite.open_engine(tmp_path / "balie.sqlite3")
    with made.connect() as connection, connection.begin():
        metadata.create_all(connection)
    yield made
    made.dispose()


def canaries(engine):
    places = [Path(f"{engine.url.database}{end}") for end in ("", "-wal", "-shm")]
    return sum(place.read_bytes().count(CANARY.encode()) for place in places)


def word(number):
    return CANARY if number % 50 == 7 else "x" * len(CANARY)


def fill(connection, seqs):
    """Interleaved logs with texts of all sizes, so that pages split, merge and overflow."""
    for _ in range(1_500):
        number = random.randrange(100)
        seqs[number] = seqs.get(number, 0) + 1
        text = word(number) + "y" * random.choice((5, 80, 400, 3_000, 9_000)) + word(number)
        connection.execute(
            insert(events).values(
                organisation_id="o",
                conversation_id=f"{number:03}",
                seq=seqs[number],
                at=1,
                author_id=word(number),
                author="{}",
                client_message_id=f"{random.random()}",
                payload=text,
            )
        )
        connection.execute(
            insert(contacts).values(
                id=f"{random.random()}",
                organisation_id="o",
                external_id=f"{random.random()}{word(number)}",
                created_at=number,
                name=word(number),
            )
        )


def test_what_was_deleted_lies_nowhere(engine):
    seqs = {}
    for _ in range(3):
        with engine.connect() as connection, connection.begin():
            fill(connection, seqs)
            connection.execute(
                update(contacts)
                .where(contacts.c.created_at % 3 == 1)
                .values(name=contacts.c.name + "z" * random.randint(1, 60))
            )
    assert canaries(engine) > 100
    with engine.connect() as connection, connection.begin():
        connection.execute(delete(events).where(events.c.author_id == CANARY))
        connection.execute(delete(contacts).where(contacts.c.external_id.contains(CANARY)))
    assert canaries(engine) > 0, "the log still holds the pages as they were"
    assert sqlite.truncate_log(engine)
    assert canaries(engine) == 0


def test_who_reads_is_waited_for_but_not_for_long(engine):
    with engine.connect() as reader:
        reader.execute(contacts.select()).all()
        with engine.connect() as writer, writer.begin():
            writer.execute(
                insert(contacts).values(id="1", organisation_id="o", external_id="1", created_at=1)
            )
        assert not sqlite.truncate_log(engine)
    assert sqlite.truncate_log(engine)
