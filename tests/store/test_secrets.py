"""What people wrote is in no error of the database, and so in no log."""

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from balie.contacts.model import contacts
from balie.conversations.projection import ConversationProjection
from balie.store import sqlite
from balie.store.engine import LogStore
from balie.store.schema import metadata
from balie.store.scope import EVERYWHERE

CANARY = "kanarie in een foutmelding"


@pytest.fixture
async def store(tmp_path):
    made = LogStore(sqlite.open_store(tmp_path / "balie.sqlite3"), ConversationProjection())
    metadata.create_all(made.driver.readers)
    made.start()
    yield made
    await made.stop()


async def test_an_error_of_a_write_does_not_tell_what_was_to_be_written(store):
    row = {"id": None, "organisation_id": CANARY, "external_id": CANARY, "created_at": 1}
    with pytest.raises(DBAPIError) as failed:
        await store.write(
            lambda connection: connection.execute(insert(contacts), [row]), of=EVERYWHERE
        )
    assert CANARY not in f"{failed.value}{failed.value!r}"
    assert "INSERT INTO contacts" in str(failed.value)


async def test_an_error_of_a_read_does_not_tell_what_was_sought(store):
    query = text("SELECT json_extract(:word, '$.x')")
    with pytest.raises(DBAPIError) as failed:
        await store.read(lambda c: c.execute(query, {"word": CANARY}).scalar(), of=EVERYWHERE)
    assert CANARY not in str(failed.value)
