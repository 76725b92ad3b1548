"""The layers of the house hold, and a breach is refused."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def copy_of_the_house(tmp_path):
    """A copy of the sources and the contracts, to break at will."""
    shutil.copytree(
        REPOSITORY / "src", tmp_path / "src", ignore=shutil.ignore_patterns("static", "__pycache__")
    )
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(house):
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache", "--no-logo"],
        cwd=house,
        env={"PYTHONPATH": str(house / "src"), "PATH": "", "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def plant(house, path, line):
    """Add a line to a module of the copy, making its packages where they are missing."""
    module = house / "src" / "balie" / path
    for folder in reversed(list(module.relative_to(house / "src").parents)[:-1]):
        (house / "src" / folder).mkdir(exist_ok=True)
        (house / "src" / folder / "__init__.py").touch()
    with module.open("a") as source:
        source.write(f"\n{line}\n")


def test_the_house_as_it_is_keeps_its_contracts(copy_of_the_house):
    verdict = lint_imports(copy_of_the_house)
    assert verdict.returncode == 0, verdict.stdout
    assert "3 kept, 0 broken" in verdict.stdout


@pytest.mark.parametrize(
    ("path", "line", "breach"),
    [
        ("kernel/planted.py", "import balie.cli", "balie.kernel.planted -> balie.cli"),
        ("kernel/planted.py", "import time", "balie.kernel.planted -> time"),
        ("routing/rules.py", "from sqlalchemy import select", "balie.routing.rules -> sqlalchemy"),
        ("realtime/protocol/planted.py", "import asyncio", "realtime.protocol.planted -> asyncio"),
        ("contacts/planted.py", "import balie.agents.planted", "contacts.planted -> balie.agents"),
        ("attic/planted.py", "", "attic"),
    ],
)
def test_a_breach_is_refused_by_name(copy_of_the_house, path, line, breach):
    plant(copy_of_the_house, "agents/planted.py", "")
    plant(copy_of_the_house, path, line)
    verdict = lint_imports(copy_of_the_house)
    assert verdict.returncode != 0
    assert breach in verdict.stdout
