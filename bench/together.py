"""The same talk on SQLite, on PostgreSQL and NATS with one worker, and with two; whose CPU it takes is told
apart.

Nothing is pinned here: on few cores the workers, the database and the driver share them, and the rate says
little. CPU for each message says what a worker with a core of its own would carry. `elsewhere` measures one
that has none of the clients: what it costs only to follow what others write.
"""

import os
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.server import Server
from bench.talk import Round, drive

ON = ("sqlite", "postgresql", "workers", "elsewhere")
NAMES = {
    "sqlite": "SQLite, one process",
    "postgresql": "PostgreSQL and NATS, one worker",
    "workers": "PostgreSQL and NATS, two workers",
    "elsewhere": "two workers, all clients at one",
}
LOADS = (
    Round("closed loop, 8 on their way per conversation", plan={"window": 8}),
    Round("open loop, 1,000/s", plan={"rate": 1_000}),
    Round("open loop, 300/s", plan={"rate": 300}),
)


def run_on(chosen, say):
    """A row of figures for each load and kind; of several rounds the one of the median CPU."""
    rows = []
    with ExitStack() as stack:
        engines = _engines(stack) if set(chosen.on) - {"sqlite"} else None
        for load in LOADS:
            found = {on: [] for on in chosen.on}
            # In turns, so that a slow minute of the machine meets them all.
            for _ in range(chosen.rounds):
                for on in chosen.on:
                    found[on].append(_run(load, on, chosen, engines))
                    say(
                        f"  {load.name}, {on}: {found[on][-1]['msgs_s']}/s {found[on][-1]['kinds']}"
                    )
            rows += [_median(each) for each in found.values()]
    return rows


def _median(rows):
    middle = statistics.median_low(row["kinds"]["workers"] for row in rows)
    return next(row for row in rows if row["kinds"]["workers"] == middle)


def _engines(stack):
    # Not before: who measures SQLite needs none of them.
    from tests.clusters import Cluster  # noqa: PLC0415
    from tests.places import Nats  # noqa: PLC0415

    cluster = Cluster({"shared_buffers": "256MB", "max_wal_size": "2GB"})
    stack.callback(cluster.remove)
    nats = Nats()
    stack.callback(nats.stop)
    return cluster, nats


def _run(load, on, chosen, engines):
    with tempfile.TemporaryDirectory(dir=chosen.folder) as place, ExitStack() as stack:
        servers, kinds = _serve(on, f"{place}/data", chosen.port, engines, stack)
        plan = servers[0].target(load.agents) | {"pid": servers[0].pid, "kinds": kinds}
        figures = drive(plan | {"seconds": chosen.seconds} | load.plan, None)
    return {"name": load.name, "on": NAMES[on], "load_average": os.getloadavg()[0]} | figures


def _serve(on, folder, port, engines, stack):
    """The servers that run, the clients' first, and process ids by kind."""
    how, kinds = {}, {}
    if on != "sqlite":
        cluster, nats = engines
        url = cluster.database()
        stack.callback(cluster.drop, url)
        how = {"database": url, "nats": nats.url}
        postmaster = int(Path(cluster.data, "postmaster.pid").read_text().split()[0])
        kinds = {"PostgreSQL": [postmaster], "NATS": [nats.process.pid]}
    first = Server(folder, port, workers=2 if on == "workers" else 1, **how).found()
    servers = [first, Server(folder, port + 1, **how)] if on == "elsewhere" else [first]
    for server in servers:
        server.start()
        stack.callback(server.stop)
    kinds = {"workers": [first.pid], **kinds}
    for other in servers[1:]:
        kinds["the other worker"] = [other.pid]
    return servers, kinds
