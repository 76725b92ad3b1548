"""A migrated store has the very shape that the code asks for."""

import importlib
import pkgutil
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import balie
from balie.store import migrations, sqlite
from balie.store.schema import metadata


@pytest.fixture(scope="module", autouse=True)
def every_room():
    """All tables are known only when every room's nouns are."""
    for module in pkgutil.walk_packages(balie.__path__, "balie."):
        if module.name.endswith(".model"):
            importlib.import_module(module.name)


@pytest.fixture
def engine(tmp_path):
    made = sqlite.open_engine(tmp_path / "balie.sqlite3")
    yield made
    made.dispose()


def differences(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return compare_metadata(context, metadata)


def test_a_migrated_store_is_as_the_rooms_describe_it(engine):
    assert migrations.migrate(engine) == migrations.newest()
    assert differences(engine) == []
    assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_the_newest_revision_is_the_end_of_the_only_line():
    scripts = ScriptDirectory.from_config(migrations._config())
    assert scripts.get_heads() == [migrations.newest()]


def test_a_start_that_migrates_nothing_does_not_load_the_library(tmp_path):
    program = (
        "import sys; from pathlib import Path; from balie.store import migrations, sqlite;"
        " migrations.migrate(sqlite.open_engine(Path(sys.argv[1]))); print('alembic' in sys.modules)"
    )

    def start():
        command = [sys.executable, "-c", program, tmp_path / "balie.sqlite3"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert [start(), start()] == ["True", "False"]


def test_a_difference_would_be_seen(engine):
    migrations.migrate(engine)
    with engine.connect() as connection, connection.begin():
        connection.execute(text("ALTER TABLE visitors DROP COLUMN time_zone"))
        connection.execute(text("DROP INDEX ix_files_conversation_id"))
    assert {each[0] for each in differences(engine)} == {"add_column", "add_index"}


def test_partial_indexes_keep_their_condition(engine):
    migrations.migrate(engine)
    with engine.connect() as connection:
        query = text("SELECT name, sql FROM sqlite_master WHERE sql LIKE '% WHERE %'")
        found = {row.name: row.sql.rpartition(" WHERE ")[2] for row in connection.execute(query)}
    wanted = {
        index.name: str(index.dialect_options["sqlite"]["where"])
        for table in metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    assert found == wanted


def test_migrating_twice_changes_nothing(engine):
    migrations.migrate(engine)
    with engine.connect() as connection, connection.begin():
        connection.execute(
            text(
                "INSERT INTO erasures (organisation_id, kind, subject, at, by) VALUES ('o','visitor','s',1,'x')"
            )
        )
    assert migrations.migrate(engine) == migrations.newest()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM erasures")).scalar() == 1
    assert migrations.current(engine) == migrations.newest()
