"""A store in which two organisations have lived, of each kind, and what tests do to it."""

import contextlib
import io
import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio
from sqlalchemy import text
from tests.people import fresh_id
from tests.places import address, cluster
from tests.town import open_town

from balie import cli
from balie.app.settings import Settings
from balie.app.stores import open_driver
from balie.store.line import raw
from balie.store.scope import EVERYWHERE


@dataclass
class Home:
    """A data directory, and the database that goes with it."""

    folder: Path
    url: str = ""
    noord: str = ""
    zuid: str = ""

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.folder, database_url=self.url)

    def balie(self, *arguments, url=None):
        """Run a command over it, in this process."""
        told, errors = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(told),
            contextlib.redirect_stderr(errors),
        ):
            patch.delenv("BALIE_DATABASE_URL", raising=False)
            if chosen := self.url if url is None else url:
                patch.setenv("BALIE_DATABASE_URL", chosen)
            code = cli.main([*map(str, arguments), f"--data-dir={self.folder}"])
        assert "Traceback" not in errors.getvalue()
        return SimpleNamespace(code=code, out=told.getvalue(), err=errors.getvalue())

    def verify(self, *arguments):
        """What `balie verify --json` says."""
        ran = self.balie("verify", "--json", *arguments)
        assert ran.code in (0, 1), ran.err
        told = json.loads(ran.out)
        assert told["sound"] is (ran.code == 0)
        return told

    @contextmanager
    def writing(self):
        """A connection past the store, in a transaction that sees all."""
        driver = open_driver(self.settings)
        try:
            with driver.writes.connect() as connection, connection.begin():
                driver.enter(raw(connection), (EVERYWHERE,))
                yield connection
        finally:
            driver.dispose()

    def run(self, *statements, **values):
        """Change rows as a failing disk or a hand would."""
        with self.writing() as connection:
            for statement in statements:
                connection.execute(text(statement), values)

    def blobs(self):
        """The files on disk."""
        return sorted(path for path in (self.folder / "files").rglob("*") if path.is_file())


async def live_in(folder, url):
    """Two organisations, their talks and files, in a store that nobody holds afterwards."""
    async with open_town(folder, database_url=url) as town:
        for side in town.sides.values():
            eva = town.browser(Authorization=f"Bearer {side.visitors['eva']}")
            for number in range(6):
                message = {
                    "client_message_id": fresh_id(),
                    "conversation": side.conversation,
                    "text": f"{number} {side.canary}",
                }
                assert (await eva.post("/api/v1/visitor/messages", json=message)).status_code == 200
        return [town.sides[name].conversation for name in ("noord", "zuid")]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def pattern(request, tmp_path_factory):
    """One of each kind, to be copied."""
    return await begin(tmp_path_factory.mktemp("pattern") / "data", request.param)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def file_pattern(tmp_path_factory):
    """One in a file, idem."""
    return await begin(tmp_path_factory.mktemp("pattern") / "data", "sqlite")


async def begin(folder, kind):
    url = address(folder, kind)
    noord, zuid = await live_in(folder, url)
    return Home(folder, url, noord, zuid)


@pytest.fixture
def home(pattern, tmp_path):
    """A copy of one of each kind."""
    return copied(pattern, tmp_path / "data")


@pytest.fixture
def file_home(file_pattern, tmp_path):
    """A copy of one in a file."""
    return copied(file_pattern, tmp_path / "data")


def copied(pattern, target):
    shutil.copytree(pattern.folder, target)
    url = cluster().database(like=pattern.url) if pattern.url else ""
    return Home(target, url, pattern.noord, pattern.zuid)
