"""What a migration would do, told without doing it: its own code runs with somebody who only writes down.

How to make migrations that a running installation survives is in `docs/operate/upgrade.md`.
"""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import msgspec

from balie.store.migrations import FOLDER

_BREAKING = {
    "drop_table": "drops the table {0}",
    "drop_column": "drops {0}.{1}",
    "rename_table": "renames the table {0}",
    "alter_column": "changes {0}.{1}",
    "drop_constraint": "drops the rule {0}",
}
_STRICTER = {"create_unique_constraint", "create_check_constraint", "create_foreign_key"}
_WRITES = ("UPDATE", "DELETE", "INSERT", "DROP", "TRUNCATE")


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a migration does. `breaking`: workers of the version before cannot go on beside it.
    `reads`: the table whose rows it goes over while nobody writes to them, and by `columns`, for an index."""

    what: str
    breaking: bool = False
    reads: str | None = None
    columns: tuple[str, ...] = ()


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """`contracts`: it says of itself that it takes away what nobody uses any more."""

    revision: str
    title: str
    contracts: bool
    steps: tuple[Step, ...]

    @property
    def breaking(self) -> bool:
        """Whether workers of the version before cannot go on beside it."""
        return any(step.breaking for step in self.steps)


def all_migrations(dialect: str) -> list[Migration]:
    """Every migration, from the first on, as it is for a database (`sqlite` or `postgresql`)."""
    found = sorted((FOLDER / "versions").glob("[0-9]*.py"))
    modules = [_load(path.stem, path) for path in found]
    return [_told(module, dialect) for module in _in_order(modules)]


def pending(revision: str | None, dialect: str) -> list[Migration]:
    """Those behind `revision`."""
    every = all_migrations(dialect)
    known = [each.revision for each in every]
    return every[known.index(revision) + 1 :] if revision in known else every


def _load(name: str, path: Any) -> ModuleType:
    described = importlib.util.spec_from_file_location(f"balie_migration_{name}", path)
    assert described is not None
    assert described.loader is not None
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module


def _in_order(modules: list[ModuleType]) -> Iterator[ModuleType]:
    behind = {module.down_revision: module for module in modules}
    module = behind.get(None)
    while module is not None:
        yield module
        module = behind.get(module.revision)


def _told(module: ModuleType, dialect: str) -> Migration:
    writer = _Writer(dialect)
    module.op = writer  # type: ignore[attr-defined]
    module.upgrade()
    if dialect == "postgresql":
        names = getattr(module, "BESIDE", ())
        writer.steps += [Step(what=f"makes the index {name} while others write") for name in names]
    return Migration(
        revision=module.revision,
        title=(module.__doc__ or "").strip().splitlines()[0],
        contracts=getattr(module, "CONTRACTS", False),
        steps=tuple(writer.steps),
    )


class _Writer:
    """Stands in for Alembic's `op`, and for a table's batch where `table` is given."""

    def __init__(self, dialect: str, parent: "_Writer | None" = None, table: str = "") -> None:
        self._dialect = dialect
        self._table = table
        self.steps: list[Step] = parent.steps if parent else []
        self._new: set[str] = parent._new if parent else set()  # noqa: SLF001 - of its own kind

    @contextmanager
    def batch_alter_table(self, table: str, **_: Any) -> Iterator["_Writer"]:
        yield _Writer(self._dialect, self, table)

    def get_bind(self) -> Any:
        return self

    @property
    def dialect(self) -> Any:
        return self

    @property
    def name(self) -> str:
        return self._dialect

    def f(self, name: str) -> str:
        return name

    def get_context(self) -> Any:
        return self

    @contextmanager
    def autocommit_block(self) -> Iterator[None]:
        yield

    def create_table(self, name: str, *_: Any, **__: Any) -> None:
        self._new.add(name)
        self.steps.append(Step(what=f"makes the table {name}"))

    def add_column(self, *about: Any, **_: Any) -> None:
        table, column = self._of(about)
        lacking = not column.nullable and column.server_default is None
        self.steps.append(
            Step(what=f"adds {table}.{column.name}", breaking=lacking and table not in self._new)
        )

    def create_index(self, name: str, *about: Any, **more: Any) -> None:
        table, columns = self._of(about)
        names = tuple(str(getattr(each, "name", each)) for each in columns)
        waits = table not in self._new and not more.get("postgresql_concurrently")
        self.steps.append(
            Step(
                what=f"makes the index {name} on {table}",
                reads=table if waits else None,
                columns=names,
            )
        )

    def drop_index(self, name: str, *_: Any, **__: Any) -> None:
        self.steps.append(Step(what=f"drops the index {name}"))

    def execute(self, statement: Any, *_: Any, **__: Any) -> None:
        text = " ".join(str(statement).split())
        breaking = text.upper().startswith(_WRITES) or " DROP " in text.upper()
        self.steps.append(Step(what=f"runs: {text[:120]}", breaking=breaking))

    def __getattr__(self, name: str) -> Any:
        def note(*about: Any, **_: Any) -> None:
            words = (*((self._table,) if self._table else ()), *map(str, about), "", "")
            told = _BREAKING.get(name, f"does {name} on {{0}}").format(*words)
            breaking = name in _BREAKING or name in _STRICTER
            reads = words[0] if name in ("alter_column", "drop_column", *_STRICTER) else None
            self.steps.append(Step(what=told, breaking=breaking, reads=reads))

        return note

    def _of(self, about: tuple[Any, ...]) -> tuple[str, Any]:
        return (self._table, about[0]) if self._table else (about[0], about[1])
