"""`docs/protocol.md` names every door of the API, under the people who may pass it."""

import re
from pathlib import Path

from balie.app.commands import open_house
from balie.app.server import Application
from balie.app.settings import Settings
from balie.edge.policy import Policy, route_policies

PROTOCOL = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
SECTIONS = {
    "Public and visitors": {Policy.PUBLIC, Policy.VISITOR, Policy.SIGNED_IN},
    "Agents": {Policy.AGENT},
    "Administrators and owners": {Policy.ADMIN, Policy.OWNER},
}
# They stand with what agents do, but who does them is not signed in yet.
NOT_YET_SIGNED_IN = {
    ("POST", "/session"),
    ("GET", "/recognition"),
    ("GET", "/invitations/{}"),
    ("PUT", "/invitations/{}/acceptance"),
}


def documented():
    """(verb, path with {} for its parameters) → the policies of its section."""
    found = {}
    for section, policies in SECTIONS.items():
        whole = rf"^### {section}\n(.*?)(?=^##|\Z)"
        text = re.search(whole, PROTOCOL.read_text(), re.MULTILINE | re.DOTALL)[1]
        for line in text.splitlines():
            path = ""
            for verb, named in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`?\s]+|…)", line):
                path = path if named == "…" else re.sub(r"\{\w+\}", "{}", named)
                found[verb, path] = policies
    return found | {door: {Policy.PUBLIC} for door in NOT_YET_SIGNED_IN}


async def test_every_door_is_written_down_where_it_belongs(tmp_path):
    house = open_house(Settings(data_dir=tmp_path))
    await house.open()
    try:
        doors = route_policies(Application(house).http.routes)
    finally:
        await house.close()
    written = documented()
    wrong = [
        (verb, path, policy)
        for (verb, path), policy in doors.items()
        if path.startswith("/api/v1/")
        and policy
        not in written.get((verb, re.sub(r"\{[^}]+\}", "{}", path.removeprefix("/api/v1"))), ())
    ]
    assert wrong == []
    assert len(written) > 45
