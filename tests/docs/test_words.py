"""Every setting, event, frame, error, close code, route and command is described, and nothing else is."""

import argparse
import re
import typing
from pathlib import Path

import pytest
from tests.office import CHEAP

from balie.app.house import House
from balie.app.server import Application
from balie.app.settings import PREFIX, Settings
from balie.cli import build_parser
from balie.edge.policy import route_policies
from balie.http import bounds, openapi
from balie.kernel.events import AnyPayload
from balie.realtime.protocol import frames

DOCS = Path(__file__).resolve().parents[2] / "docs"
PROTOCOL = (DOCS / "protocol.md").read_text()


def first_column(text):
    """What stands in backticks in the first cell of table rows."""
    rows = re.findall(r"^\| (.+?) \|", text, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def tags(union):
    return {str(each.__struct_config__.tag) for each in typing.get_args(union)}


def test_settings():
    described = {
        word
        for word in first_column((DOCS / "operate/settings.md").read_text())
        if word.startswith(PREFIX)
    }
    assert described == {PREFIX + field.upper() for field in Settings.__struct_fields__}


def test_events():
    assert tags(AnyPayload) <= first_column(PROTOCOL)


def test_frames():
    sent = tags(frames.VisitorFrame) | tags(frames.AgentFrame) | {"hello"}
    received = tags(frames.VisitorServerFrame) | tags(frames.AgentServerFrame)
    assert sent | received <= first_column(PROTOCOL)


def test_error_codes():
    table = PROTOCOL.split("### Error codes")[1].split("## Without sockets")[0]
    assert set(typing.get_args(frames.ErrorCode)) <= first_column(table)


def test_close_codes():
    table = PROTOCOL.split("### Close codes")[1].split("## What a client sends")[0]
    described = {int(code) for code in re.findall(r"\b([14]\d{3})\b", table)}
    used = {value for name, value in vars(frames.Close).items() if name.isupper()}
    assert used <= described


@pytest.fixture
def application(tmp_path):
    return Application(House(Settings(data_dir=tmp_path), CHEAP))


def test_routes_are_in_the_protocol(application):
    described = set()
    for line in PROTOCOL.splitlines():
        for verb, path in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^ `?]*)", line):
            described.add((verb, plain(path)))
        if "· `DELETE …`" in line:
            described |= {("DELETE", plain(path)) for path in re.findall(r"`PUT (/[^ `?]*)", line)}
    missing = {
        (verb, path)
        for verb, path in api_routes(application)
        if (verb, plain(path.removeprefix("/api/v1"))) not in described
    }
    assert missing == set()


def test_routes_are_in_openapi(application):
    schema = application.http.openapi_schema.to_schema()
    known = {
        (verb.upper(), plain(path))
        for path, operations in schema["paths"].items()
        for verb in operations
    }
    missing = {door for door in api_routes(application) if (door[0], plain(door[1])) not in known}
    assert missing == set()


@pytest.fixture
def described(application):
    schema = application.http.openapi_schema.to_schema()
    openapi.complete(schema, route_policies(application.http.routes), "balie")
    return schema


def test_openapi_says_how_large_things_may_be(described):
    shapes = described["components"]["schemas"]
    for bounds_of, word in ((bounds.LONGEST, "maxLength"), (bounds.MOST, "maxItems")):
        for shape, fields in bounds_of.items():
            for field, most in fields.items():
                told = shapes[shape]["properties"][field]
                assert most in [each.get(word) for each in told.get("oneOf", [told])], (
                    shape,
                    field,
                )
    label = described["paths"]["/api/v1/conversations/{conversation_id}/tags/{tag}"]["put"]
    assert [each["schema"].get("maxLength") for each in label["parameters"]][-1] == 40


def test_openapi_says_how_a_file_is_brought(described):
    bring = described["paths"]["/api/v1/files"]["post"]
    assert bring["requestBody"]["content"].keys() == {"application/octet-stream"}
    assert [each["name"] for each in bring["parameters"]] == ["X-File-Name"]
    picture = described["paths"]["/api/v1/agents/{agent_id}/picture"]["put"]
    assert picture["requestBody"]["content"].keys() == {"image/*"}


def test_openapi_names_the_refusals(described):
    post = described["paths"]["/api/v1/visitor/messages"]["post"]["responses"]
    assert {"401", "403", "409", "413", "415", "422", "429", "503"} <= post.keys()
    codes = post["429"]["content"]["application/problem+json"]["schema"]["allOf"][1]
    assert codes["properties"]["code"]["enum"] == ["rate_limited"]
    assert "Retry-After" in post["429"]["headers"]
    for operations in described["paths"].values():
        for operation in operations.values():
            assert "500" in operation["responses"] or "x-policy" not in operation


def api_routes(application):
    return {
        door for door in route_policies(application.http.routes) if door[1].startswith("/api/v1/")
    }


def plain(path):
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_commands():
    described = {
        word.removeprefix("balie ").split()[0]
        for word in first_column((DOCS / "operate/commands.md").read_text())
        if word.startswith("balie ")
    }
    actions = build_parser()._subparsers._group_actions
    known = {
        name
        for action in actions
        if isinstance(action, argparse._SubParsersAction)
        for name in action.choices
    }
    assert described == known
