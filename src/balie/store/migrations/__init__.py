"""Bringing a store to the shape that this version of Balie needs."""

import logging
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text

FOLDER = Path(__file__).parent


def migrate(engine: Engine) -> str:
    """Run what is missing on SQLite, in one transaction each, and return the revision that the store then
    has."""
    with engine.connect() as plain:
        if revision(plain) != newest():
            plain.rollback()
            upgrade(plain.execution_options(begin="BEGIN IMMEDIATE"))
            plain.commit()
    return newest()


def newest() -> str:
    """The revision that this version of Balie needs: what the last of the files begins with."""
    return max(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def revisions() -> list[str]:
    """All that this version knows, from the first on."""
    return sorted(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def go_back(engine: Engine, wanted: str) -> str:
    """Undo what came after the revision `wanted`, in one transaction, and return what the store then has. What
    only later versions keep is lost."""
    from alembic import command  # noqa: PLC0415 - see `upgrade`

    begin = "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else "BEGIN"
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with engine.connect() as plain:
        connection = plain.execution_options(begin=begin)
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, wanted)
        connection.commit()
    return wanted


def current(engine: Engine) -> str | None:
    """The revision that a store has; None for an empty one."""
    with engine.connect() as connection:
        return revision(connection)


def revision(connection: Connection) -> str | None:
    """As `current`, inside a transaction."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(found) if found else None


def upgrade(connection: Connection) -> None:
    """Run what is missing: in the transaction that has begun, or in one each."""
    # Imported here: it is a quarter of what a start costs, and few starts need it.
    from alembic import command  # noqa: PLC0415

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Any:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config
