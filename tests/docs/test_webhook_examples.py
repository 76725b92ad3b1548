"""The examples of `docs/webhooks.md` verify what Balie signs, and refuse what it did not."""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from balie.integrations import rules
from balie.integrations.model import TYPES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text()
SECRET = rules.new_secret(bytes(range(32)))
BODY = '{"type":"message.posted","data":{"text":"één"}}'.encode()


def example(language):
    return re.search(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]


def cases():
    """(headers, body, genuine)"""
    now = time.time_ns() // 1_000_000
    good = dict(rules.headers("msg_1", BODY, [SECRET], now))
    rotated = dict(rules.headers("msg_1", BODY, [rules.new_secret(b"x" * 32), SECRET], now))
    foreign = dict(rules.headers("msg_1", BODY, [rules.new_secret(b"x" * 32)], now))
    old = dict(rules.headers("msg_1", BODY, [SECRET], now - 600_000))
    return [
        (good, BODY, True),
        (rotated, BODY, True),
        (foreign, BODY, False),
        (old, BODY, False),
        (good, BODY + b" ", False),
        (good | {"webhook-id": "msg_2"}, BODY, False),
        (good | {"webhook-signature": "v1,"}, BODY, False),
    ]


def test_python():
    space = {}
    exec(example("python"), space)
    for headers, body, genuine in cases():
        assert space["is_genuine"](SECRET, headers, body) is genuine


PROGRAMS = {
    "js": (
        "node",
        "mjs",
        """
import { readFileSync } from "node:fs";
const [secret, cases] = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map(([headers, body]) => isGenuine(secret, headers, Buffer.from(body)))));
""",
    ),
    "php": (
        "php",
        "php",
        """
[$secret, $cases] = json_decode(file_get_contents('php://stdin'), true);
echo json_encode(array_map(fn($each) => is_genuine($secret, $each[0], $each[1]), $cases));
""",
    ),
}


@pytest.mark.parametrize("language", PROGRAMS)
def test_other_languages(tmp_path, language):
    program, ending, rest = PROGRAMS[language]
    if shutil.which(program) is None:
        pytest.skip(f"no {program} here")
    file = tmp_path / f"example.{ending}"
    file.write_text(example(language) + rest)
    told = json.dumps([SECRET, [(headers, body.decode()) for headers, body, _ in cases()]])
    ran = subprocess.run(
        [program, str(file)], input=told, capture_output=True, text=True, check=False, timeout=30
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [genuine for *_, genuine in cases()]


def test_every_type_is_named():
    listed = PAGE.split("## What you hear")[1].split("```")[0]
    assert set(TYPES.values()) <= set(re.findall(r"`([^`]+)`", listed))
