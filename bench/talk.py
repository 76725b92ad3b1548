"""Messages: how many a second, at what cost, how soon, and whether each arrives once."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

from bench.machine import SyncProbe
from bench.server import Server


@dataclass
class Round:
    """One run of the load driver against a fresh server."""

    name: str
    agents: int = 10
    plan: dict = field(default_factory=dict)


ROUNDS = (
    Round("closed loop, 1 on its way per conversation"),
    Round("closed loop, 8 on their way per conversation", plan={"window": 8}),
    Round("open loop, 100/s", plan={"rate": 100}),
    Round("open loop, 1,000/s", plan={"rate": 1_000}),
    Round("open loop, 5,000/s", plan={"rate": 5_000}),
    Round(
        "1 conversation, 5 consoles follow it",
        agents=5,
        plan={"conversations": 1, "watched": 5, "window": 32},
    ),
    Round("200 conversations, 1 console follows them", agents=1, plan={"conversations": 200}),
)

LOADS = (
    ("closed loop, 1 on its way per conversation", 0),
    ("open loop, 100/s", 100),
    ("open loop, 1,000/s", 1_000),
    ("open loop, 5,000/s", 5_000),
)
"""What others are put under, too."""


def run_round(chosen, *, folder, port, seconds, server_core, driver_core):
    """Start a server, load it, stop it. Returns the figures, with one fdatasync measured beside them."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        server = Server(f"{place}/data", port, server_core).found().start()
        try:
            target = server.target(chosen.agents)
            plan = target | {"pid": server.pid, "seconds": seconds} | chosen.plan
            with SyncProbe(place) as probe:
                figures = drive(plan, driver_core)
        finally:
            server.stop()
    return {"name": chosen.name, "fdatasync_ms": probe.figures()} | figures


def drive(plan, core):
    """Run the load driver on a core of its own."""
    program = [sys.executable, "-m", "bench.load", json.dumps(plan)]
    if core is not None:
        program = ["taskset", "--cpu-list", str(core), *program]
    done = subprocess.run(program, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)
