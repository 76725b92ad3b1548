"""From an empty folder to somebody who signs in, on the command line alone."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.people import Demo, free_port, visitor

BALIE = str(Path(sys.executable).with_name("balie"))


def balie(*arguments, **more):
    return subprocess.run(
        [BALIE, *arguments], capture_output=True, text=True, timeout=60, check=False, **more
    )


@pytest.fixture
def serving(tmp_path):
    """`balie serve` over tmp_path, as a started process and its address."""
    port = free_port()
    process = subprocess.Popen(
        [BALIE, "serve", f"--port={port}", f"--data-dir={tmp_path}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert "serves on" in process.stdout.readline()
    yield f"http://localhost:{port}"
    process.terminate()
    assert process.wait(timeout=15) == 0
    process.stdout.close()


INIT = (
    "init", "--organisation=Tegenwind", "--name=Noor", "--email=noor@tegenwind.example", "--json",
)  # fmt: skip


def test_a_first_organisation_and_its_owner(tmp_path, serving):
    made = balie(*INIT, f"--data-dir={tmp_path}")
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert set(told) == {"organisation_id", "site_id", "site_key", "email", "password"}
    with httpx.Client(base_url=serving, headers={"Origin": serving}) as http:
        login = {"email": told["email"], "password": told["password"]}
        assert http.post("/api/v1/session", json=login).status_code == 200
        assert http.get(f"/api/v1/sites/{told['site_key']}/state").status_code == 200


def test_a_password_from_standard_input_is_not_told(tmp_path):
    made = balie(*INIT, "--password-stdin", f"--data-dir={tmp_path}", input="vier lange woorden\n")
    assert made.returncode == 0, made.stderr
    assert "vier lange woorden" not in made.stdout
    again = balie(*INIT, f"--data-dir={tmp_path}")
    assert (again.returncode, again.stdout) == (1, "")
    assert "in use" in again.stderr


def test_a_forgotten_password_gets_a_link(tmp_path, serving):
    balie(*INIT, f"--data-dir={tmp_path}")
    told = balie("password", "noor@tegenwind.example", "--json", f"--data-dir={tmp_path}")
    token = json.loads(told.stdout)["link"].partition("#")[2]
    with httpx.Client(base_url=serving, headers={"Origin": serving}) as http:
        chosen = {"name": "Noor", "password": "een heel ander wachtwoord"}
        used = http.put(f"/api/v1/invitations/{token}/acceptance", json=chosen)
        assert used.status_code == 200, used.text
        assert http.put(f"/api/v1/invitations/{token}/acceptance", json=chosen).status_code == 404
    nobody = balie("password", "x@y.example", f"--data-dir={tmp_path}")
    assert (nobody.returncode, "nobody" in nobody.stderr) == (1, True)


def test_a_taken_port_is_said_plainly(tmp_path, serving):
    port = serving.rpartition(":")[2]
    refused = balie("demo", f"--port={port}", f"--data-dir={tmp_path / 'other'}")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"balie: port {port}")
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BALIE_ORIGIN", "chat.example.nl/path"),
        ("BALIE_MAX_FILE_BYTES", "ten"),
        ("BALIE_TRUSTED_PROXIES", "localhost"),
        ("BALIE_MESSAGES_PER_SECOND", "-1"),
        ("BALIE_PROT", "8000"),
        ("BALIE_PORT", "99999"),
        ("BALIE_PORT", "0"),
    ],
)
def test_a_bad_setting_stops_the_start_and_is_named(tmp_path, name, value):
    refused = balie("serve", f"--data-dir={tmp_path}", env={name: value})
    assert refused.returncode == 2
    assert name in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_the_demo_keeps_its_data_and_its_people(tmp_path):
    demo = Demo(tmp_path / "data").start()
    first = demo.told
    ana = await visitor(demo).open()
    token = ana.welcome["visitor"]["token"]
    await ana.post("tot zo")
    await ana.close()
    assert demo.stop() == 0
    demo.start()
    assert demo.told == first
    again = await visitor(demo, token).open()
    assert again.welcome["conversations"][0]["last_message"]["text"] == "tot zo"
    await again.close()
    demo.stop()
