"""What the documents and the repository say of themselves is true."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path for pattern in ("*.md", "docs/**/*.md", "tests/*.md") for path in REPOSITORY.glob(pattern)
)
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-uv.lock"]


def name_of(path):
    return str(path.relative_to(REPOSITORY))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(document):
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", document.read_text())
    missing = [link for link in links if not (document.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_word_of_make_exists(document):
    targets = set(
        re.findall(r"^([a-z][a-z-]*):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    )
    used = set(re.findall(r"`make ([a-z-]+)|^make ([a-z-]+)", document.read_text(), re.MULTILINE))
    assert {first or second for first, second in used} <= targets


def test_every_room_of_the_contract_is_on_the_map():
    contract = (REPOSITORY / "pyproject.toml").read_text().split('type = "layers"')[1]
    layers = re.search(r"^layers = \[(.*?)^\]", contract, re.MULTILINE | re.DOTALL)[1]
    rooms = re.findall(r"[a-z]+", layers)
    drawing = (REPOSITORY / "ARCHITECTURE.md").read_text().split("```")[1]
    # The words of a line come after two spaces; what stands before them are rooms.
    drawn = [
        room
        for line in drawing.strip().splitlines()
        for room in re.findall(r"[a-z]+", re.split(r" {2,}", line)[0])
    ]
    assert drawn == rooms


@pytest.fixture
def copy_of_the_locks(tmp_path):
    for lock in [*LOCKS, "web/package-lock.json", "tools/lock.sh"]:
        (tmp_path / lock).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / lock, tmp_path / lock)
    return tmp_path


def check_locks(place):
    command = ["sh", "tools/lock.sh", "--check"]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)


def test_no_lock_names_an_address(copy_of_the_locks):
    verdict = check_locks(copy_of_the_locks)
    assert verdict.returncode == 0, verdict.stdout


@pytest.mark.parametrize(
    ("lock", "line"),
    [
        ("requirements.lock", "--index-url https://registry.example/simple"),
        ("requirements-dev.lock", "--find-links /wheels"),
        ("requirements-uv.lock", "uv @ file:///wheels/uv.whl"),
        ("web/package-lock.json", '"resolved": "https://registry.example/vite.tgz",'),
    ],
)
def test_an_address_in_a_lock_is_refused(copy_of_the_locks, lock, line):
    with (copy_of_the_locks / lock).open("a") as file:
        file.write(f"{line}\n")
    verdict = check_locks(copy_of_the_locks)
    assert verdict.returncode == 1
    assert line in verdict.stdout
