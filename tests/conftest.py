"""What every test may ask for."""

import os
import random
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import settings

# The same examples on every machine.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_addoption(parser):
    """`--database postgresql`: tests that run over any store run over that one; `workers` has two processes
    over it."""
    parser.addoption("--database", choices=("sqlite", "postgresql", "workers"), default="sqlite")


def pytest_configure(config):
    """See `tests/places.py`."""
    from tests import places  # noqa: PLC0415 - pure tests do without it

    places.chosen = config.getoption("--database")


# Where several processes share the files, none is left alone with a long one at the end.
LONGEST_FIRST = ("faults", "browser", "simulation", "real", "flows")


def pytest_collection_modifyitems(config, items):
    items.sort(key=_turn)
    if config.getoption("--database") == "workers":
        _leave_out_what_one_process_does(items)


def _turn(item):
    folder = item.path.relative_to(REPOSITORY / "tests").parts[0]
    return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)


def _leave_out_what_one_process_does(items):
    """It says nothing of several."""
    for item in items:
        if mark := item.get_closest_marker("one_process"):
            item.add_marker(pytest.mark.skip(reason=mark.args[0]))


def pytest_generate_tests(metafunc):
    """A module that says `DATABASES` has its demo over each of them."""
    kinds = getattr(metafunc.module, "DATABASES", None)
    for name in ("own_demo", "demo"):
        if kinds and name in metafunc.fixturenames:
            metafunc.parametrize(name, kinds, indirect=True)
            return


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """A place for a store, of each kind; see `tests/places.py`."""
    from tests.places import Place  # noqa: PLC0415 - idem

    made = Place(tmp_path, request.param)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def fixed_seed():
    """Chance in a test is the same chance every time."""
    random.seed(20_26)


@pytest.fixture(scope="session")
def testdata() -> Path:
    """The folder of real data and hostile input (see tests/README.md); skips without it."""
    place = Path(os.environ.get("BALIE_TESTDATA", REPOSITORY.parent / "shared"))
    if not place.is_dir():
        pytest.skip(f"no test data at {place}: set BALIE_TESTDATA (see tests/README.md)")
    return place


@pytest_asyncio.fixture
async def office(tmp_path):
    """The web server over a fresh database file; see `tests/office.py`."""
    from tests.office import open_office  # noqa: PLC0415 - pure tests do without it

    async with open_office(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def demo(request, tmp_path_factory):
    """A running `balie demo` for the tests of a module, with its `SETTINGS` where it has any."""
    from tests.people import PATIENT, running_demo  # noqa: PLC0415 - pure tests do without it

    settings = getattr(request.module, "SETTINGS", PATIENT)
    kind = getattr(request, "param", None)
    with running_demo(tmp_path_factory.mktemp("demo"), settings, kind) as running:
        yield running


@pytest.fixture
def own_demo(request, tmp_path):
    """A running `balie demo` for one test, which may stop and start it."""
    from tests.people import running_demo  # noqa: PLC0415 - idem

    kind = getattr(request, "param", None)
    with running_demo(tmp_path / "data", {}, kind) as running:
        yield running
