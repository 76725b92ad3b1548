"""What Prometheus reads is what happened, and nobody else reads it."""

import asyncio
import json
import re
import socket
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.people import Agent, Demo, free_port, fresh_id, running_demo, visitor

from balie.app.metrics import LOOK_EVERY

REPOSITORY = Path(__file__).resolve().parents[2]
SECRET = "a-long-token-of-the-operator"
CANARY = "kanarie-4711"


@pytest.fixture
def watched(tmp_path):
    port = free_port()
    settings = {"BALIE_METRICS_TOKEN": SECRET, "BALIE_METRICS_PORT": str(port)}
    with running_demo(tmp_path, settings) as demo:
        yield demo, f"http://127.0.0.1:{port}"


def values(text):
    """Every sample, by its name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def read(url, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient() as http:
        return await http.get(f"{url}/metrics", headers=headers)


@pytest.mark.one_process("each worker has figures of its own")
async def test_what_happened_is_counted(watched):
    demo, aside = watched
    talker = await visitor(demo).open()
    said = fresh_id()
    first = await talker.post(CANARY, None, said)
    await talker.post(CANARY, None, said)
    # Long enough for one look at the event loop.
    await asyncio.sleep(2 * LOOK_EVERY)
    told = values((await read(aside)).text)
    assert told["balie_events_total",] == 2
    assert told["balie_ack_seconds_count",] == 2
    assert told["balie_messages_repeated_total",] == 1
    assert told["balie_connections", ("kind", "visitor"), ("transport", "socket")] == 1
    assert told["balie_commit_seconds_count",] >= 1
    assert told["balie_loop_lag_seconds_count",] >= 1
    await talker.close()
    agent = await Agent(demo, demo.logins[0]).sign_in()
    await agent.http.get(f"/api/v1/conversations/{first['conversation']}/events")
    await agent.http.get("/api/v1/made-up/" + CANARY)
    await agent.leave()
    text = (await read(aside)).text
    told = values(text)
    assert told["balie_connections", ("kind", "visitor"), ("transport", "socket")] == 0
    assert told["balie_connections_closed_total", ("code", "client")] == 1
    route = "/api/v1/conversations/{conversation_id}/events"
    assert told["balie_http_request_seconds_count", ("route", route)] == 1
    assert told[
        "balie_http_requests_total", ("method", "other"), ("route", "other"), ("status", "404")
    ]
    for hidden in (CANARY, first["conversation"], demo.site, demo.logins[0]["email"]):
        assert hidden not in text


async def test_only_the_operator_reads_it(watched):
    demo, aside = watched
    here = f"http://127.0.0.1:{demo.port}"
    refused = [await read(here), await read(here, "wrong"), await read(here, SECRET + "x")]
    assert [answer.status_code for answer in refused] == [401, 401, 401]
    assert "balie_events" in (await read(here, SECRET)).text
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{aside}/readyz")).text == "ready"
        assert (await http.get(f"{aside}/healthz")).text == "ok"
        assert (await http.get(f"{aside}/app")).status_code == 404
        assert (await http.post(f"{aside}/metrics")).status_code == 404


@pytest.mark.one_process("the supervisor adds a line of its own")
async def test_a_second_port_that_is_taken_is_said_plainly(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        demo = Demo(tmp_path, settings={"BALIE_METRICS_PORT": str(port)})
        with (tmp_path / "errors").open("w") as demo.errors, pytest.raises(AssertionError):
            demo.start()
    assert demo.process is not None
    with demo.process.stdout:
        assert demo.process.wait(10) == 1
    told = (tmp_path / "errors").read_text()
    refusal = f"balie: port {port} on 127.0.0.1 cannot be used (Address already in use)"
    assert told == f"{refusal}; choose another with BALIE_METRICS_PORT\n"


async def test_every_name_is_described_and_the_dashboard_knows_no_others(watched):
    _, aside = watched
    text = (await read(aside)).text
    families = {family.name for family in text_string_to_metric_families(text)}
    own = {name for name in families if name.startswith("balie_")}
    page = (REPOSITORY / "docs/operate/metrics.md").read_text()
    described = set(re.findall(r"^\| `(balie_\w+)`", page, re.MULTILINE))
    bare = {name.removesuffix("_total") for name in described}
    assert bare == own
    board = json.loads((REPOSITORY / "docs/operate/grafana.json").read_text())
    asked = {
        name
        for panel in board["panels"]
        for target in panel.get("targets", ())
        for name in re.findall(r"balie_\w+", target["expr"])
    }
    assert asked
    assert {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in asked} <= own


@pytest.mark.one_process("each worker has figures of its own")
async def test_what_waits_and_what_is_behind_is_told(watched):
    _, aside = watched
    told = values((await read(aside)).text)
    assert told["balie_hints_connected",] == 0
    assert 0 <= told["balie_follower_lag_seconds",] < 10
    assert told["balie_jobs", ("state", "waiting")] == told["balie_jobs", ("state", "dead")] == 0
    assert told["balie_jobs_oldest_seconds",] == 0
