"""What one worker costs, and what two: over SQLite, over PostgreSQL, and with NATS between them.

Nothing is tied to a core, so that two workers may have two. Where the machine has no more than that, they
share them with PostgreSQL and the driver, and the rate says little; the CPU time of the workers for a message
says what N of them carry where there are cores enough.
"""

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass

from bench.machine import SyncProbe
from bench.server import Server
from bench.talk import Round, drive

LOADS = (
    Round("as many as it takes", plan={"window": 8}),
    Round("500/s", plan={"rate": 500}),
)


@dataclass(frozen=True)
class Setup:
    """What stands there."""

    name: str
    database: str = "SQLite"
    hints: bool = False
    workers: int = 1


SETUPS = (
    Setup("SQLite, 1 worker"),
    Setup("PostgreSQL, 1 worker", "PostgreSQL"),
    Setup("PostgreSQL and NATS, 1 worker", "PostgreSQL", hints=True),
    Setup("PostgreSQL and NATS, 2 workers", "PostgreSQL", hints=True, workers=2),
)


def run_scale(chosen, say):
    """Rows of one set-up under one load each. They take turns, so that a slow minute meets them all."""
    rows = []
    for number in range(max(1, chosen.rounds)):
        for load in LOADS:
            for setup in SETUPS if number % 2 == 0 else reversed(SETUPS):
                row = _run(setup, load, chosen)
                say(f"  {setup.name}, {load.name}: {row['msgs_s']}/s, {row['cpu_s_per_1000_by']}")
                rows.append(
                    {"setup": setup.name, "load": load.name, "workers": setup.workers} | row
                )
    return rows


def _run(setup, load, chosen):
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(dir=chosen.folder))
        kinds, url, hints = {}, None, None
        if setup.database == "PostgreSQL":
            cluster = _cluster(stack)
            url, kinds["PostgreSQL"] = cluster.database(empty=True), [_postmaster(cluster)]
        if setup.hints:
            nats = _nats(stack)
            hints, kinds["NATS"] = nats.url, [nats.process.pid]
        server = Server(
            f"{place}/data", chosen.port, database=url, hints=hints, workers=setup.workers
        )
        server.found().start()
        stack.callback(server.stop)
        kinds["workers"] = [server.pid]
        plan = server.target(load.agents) | {"pid": server.pid, "kinds": kinds}
        plan |= {"seconds": chosen.seconds} | load.plan
        with SyncProbe(place) as probe:
            figures = drive(plan, None)
    return {"fdatasync_ms": probe.figures()} | figures


# Here, since only this part needs servers of databases and hints.


def _cluster(stack):
    from tests.clusters import Cluster  # noqa: PLC0415

    cluster = Cluster({"shared_buffers": "256MB"})
    stack.callback(cluster.remove)
    return cluster


def _postmaster(cluster):
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


def _nats(stack):
    from tests.places import Nats  # noqa: PLC0415

    nats = Nats()
    stack.callback(nats.stop)
    return nats


HEAD = (
    "| set-up | load | messages/s | workers' CPU s per 1,000 | beside one worker there"
    " | PostgreSQL's | NATS's | driver's | delivery p50 / p99 ms | lost, doubled |\n"
    "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def scale_table(rows):
    """A line for each set-up and load: the run of several in which the workers took the median time."""
    chosen = {}
    for row in sorted(rows, key=_of_workers):
        chosen.setdefault((row["load"], row["setup"]), []).append(row)
    middle = {key: several[len(several) // 2] for key, several in chosen.items()}
    lines = []
    for load in LOADS:
        alone = middle[load.name, SETUPS[2].name]
        lines += [_line(middle[load.name, setup.name], alone) for setup in SETUPS]
    return "\n".join([HEAD, *lines])


def _of_workers(row):
    return row["cpu_s_per_1000_by"]["workers"]


def _line(row, alone):
    by, delivery = row["cpu_s_per_1000_by"], row["delivery_ms"]
    beside = f"{_of_workers(row) / _of_workers(alone):.2f}"
    return (
        f"| {row['setup']} | {row['load']} | {row['msgs_s']:,.0f} | {by['workers']:.3f} | {beside}"
        f" | {by.get('PostgreSQL', 0):.3f} | {by.get('NATS', 0):.3f} | {by['driver']:.3f}"
        f" | {delivery['p50']} / {delivery['p99']} | {row['lost']}, {row['doubled']} |"
    )
