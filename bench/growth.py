"""What an operation costs when ten thousand messages are stored, and when five million are.

For each size a store is filled, and served by a real `balie serve`; the sizes take turns, so that a slow minute
of the machine meets them all. Costs are CPU time, of the server's processes and, on PostgreSQL, the database's.
"""

import http.client
import json
import random
import shutil
import statistics
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psycopg

from balie.store import sqlite
from bench.filling import Plan, fill_postgres, fill_sqlite
from bench.machine import cpu_seconds
from bench.server import Server
from bench.talk import drive

SIZES = (10_000, 100_000, 1_000_000, 5_000_000)
DATABASES = ("SQLite", "PostgreSQL")
AGENTS = 4
RATE = 500
REQUESTS = 400
LISTS = {
    "mine": ["/conversations?view=mine&limit=100"],
    "waiting": ["/conversations?view=waiting&limit=100"],
    "team": ["/conversations?view=team&limit=100"],
    "closed": ["/conversations?view=closed&limit=100"],
    "all": ["/conversations?view=all&limit=100"],
    "labels": ["/tags"],
}
MESSAGE, OPENING, LATER = "message", "opening a conversation", "closed, a page far below"


def run_growth(chosen, say):
    """Rows of one size and database each, with CPU microseconds by operation; the median of all rounds."""
    sizes = [int(each) for each in chosen.sizes.split(",")] if chosen.sizes else SIZES
    with tempfile.TemporaryDirectory(prefix="balie-growth-", dir=chosen.folder) as folder:
        rows = []
        for database in DATABASES:
            with _places(database, Path(folder), sizes, chosen, say) as places:
                rows += _rounds(places, chosen, say)
        return rows


def _rounds(places, chosen, say):
    found = {place.size: {} for place in places}
    for number in range(max(3, chosen.rounds)):
        # To and fro, so that what warms up or wears down meets all sizes alike.
        for place in places if number % 2 == 0 else reversed(places):
            for name, cost in place.measure(chosen, number).items():
                found[place.size].setdefault(name, []).append(cost)
            told = ", ".join(f"{key} {values[-1]:.0f}" for key, values in found[place.size].items())
            say(f"  {place.database} {place.size:,}: {told}")
    return [
        {
            "database": place.database,
            "messages": place.filled.messages,
            "size": place.size,
            "conversations": place.filled.conversations,
            "store_mb": place.megabytes(),
            "cpu_us": {
                key: round(statistics.median(each)) for key, each in found[place.size].items()
            },
            "rounds": found[place.size],
        }
        for place in places
    ]


@contextmanager
def _places(database, folder, sizes, chosen, say):
    """A filled store of each size."""
    cluster = _cluster() if database == "PostgreSQL" else None
    try:
        places = []
        for size in sizes:
            say(f"  filling {database} with {size:,} messages …")
            places.append(Place(database, size, folder / f"{database}-{size}", cluster, chosen))
        yield places
    finally:
        if cluster is not None:
            cluster.remove()
        for place in places:
            shutil.rmtree(place.server.folder, ignore_errors=True)


def _cluster():
    # Here, since only this part needs a server of databases.
    from tests.clusters import Cluster  # noqa: PLC0415

    return Cluster({"shared_buffers": "512MB", "max_wal_size": "4GB"})


class Place:
    """A store of one size, and the server over it."""

    def __init__(self, database, size, folder, cluster, chosen):
        self.database, self.size, self.cluster = database, size, cluster
        self.url = cluster.database(empty=True) if cluster else None
        self.server = Server(folder, chosen.port, chosen.server_core, database=self.url)
        self.server.found().start()
        try:
            self.target = self.server.target(AGENTS)
            self.owner = Api(self.server.url, self.target["cookies"][0])
            people = self.owner.ask("/agents")["data"]
            [site] = self.owner.ask("/sites")["data"]
        finally:
            self.server.stop()
        agents = [(each["id"], each["name"]) for each in people]
        plan = Plan(self._organisation(), site["id"], agents, size)
        self.filled = (
            fill_postgres(self._admin(), plan) if cluster else fill_sqlite(self._file, plan)
        )
        self.ids = self._some_ids()

    @property
    def _file(self):
        return self.server.folder / "balie.sqlite3"

    def _admin(self):
        return self.cluster.address(self.url.rpartition("/")[2], "admin")

    def _organisation(self):
        return self._ask("SELECT organisation_id FROM organisations")[0][0]

    def _some_ids(self):
        """Of conversations from all the years, each as likely as any other."""
        return [
            key
            for (key,) in self._ask("SELECT id FROM conversations ORDER BY random() LIMIT 20000")
        ]

    def _ask(self, query):
        if self.cluster:
            with psycopg.connect(self._admin()) as line:
                return line.execute(query).fetchall()
        line = sqlite.driver().connect(str(self._file))
        try:
            return line.execute(query).fetchall()
        finally:
            line.close()

    def megabytes(self):
        if self.cluster:
            return round(self._ask("SELECT pg_database_size(current_database())")[0][0] / 2**20)
        return round(self._file.stat().st_size / 2**20)

    def measure(self, chosen, number):
        """CPU microseconds by operation, in one run of the server."""
        self.server.start()
        try:
            costs = {MESSAGE: self._message(chosen)}
            api = Api(self.server.url, self.target["cookies"][0])
            chance = random.Random(f"{self.size}/{number}")
            opened = [self._opening(chance.choice(self.ids)) for _ in range(REQUESTS)]
            costs[OPENING] = self._cost(api, opened)
            for name, paths in LISTS.items():
                costs[name] = self._cost(api, [paths] * REQUESTS)
            costs[LATER] = self._cost(api, [[self._page_below(api)]] * REQUESTS)
            return costs
        finally:
            self.server.stop()

    def _message(self, chosen):
        plan = self.target | {
            "pid": self.server.pid,
            "more_pids": self._database_pids(),
            "rate": RATE,
            "seconds": chosen.seconds,
            "conversations": 50,
        }
        told = drive(plan, chosen.driver_core)
        if told["lost"] or told["doubled"]:
            sys.exit(f"{told['lost']} messages were lost, {told['doubled']} doubled")
        return told["cpu_s_per_1000"] * 1_000

    @staticmethod
    def _opening(key):
        """What the console asks for when somebody opens a conversation."""
        return [
            f"/conversations/{key}",
            f"/conversations/{key}/events?limit=50",
            f"/conversations/{key}/visitor",
        ]

    def _page_below(self, api):
        """The address of the page behind the first 2,000 that were closed, or behind half of fewer."""
        path = "/conversations?view=closed&limit=100"
        cursor = None
        for _ in range(max(1, min(20, self.filled.conversations // 200))):
            cursor = api.ask(path + (f"&cursor={cursor}" if cursor else ""))["next_cursor"]
        return f"{path}&cursor={cursor}"

    def _cost(self, api, operations):
        """CPU microseconds of one of these; each is a few requests."""
        for paths in operations[:40]:
            api.ask_all(paths)
        began = self._cpu()
        for paths in operations:
            api.ask_all(paths)
        return (self._cpu() - began) / len(operations) * 1e6

    def _cpu(self):
        return cpu_seconds([self.server.pid, *self._database_pids()])

    def _database_pids(self):
        if not self.cluster:
            return []
        return [int((self.cluster.data / "postmaster.pid").read_text().split()[0])]


class Api:
    """The console's reads, over one connection."""

    def __init__(self, url, cookie):
        self._headers = {"Cookie": cookie, "Origin": url}
        self._url = url.removeprefix("http://")
        self._line = None

    def ask(self, path):
        return json.loads(self._get(path))

    def ask_all(self, paths):
        for path in paths:
            self._get(path)

    def _get(self, path):
        if self._line is None:
            self._line = http.client.HTTPConnection(self._url)
        self._line.request("GET", f"/api/v1{path}", headers=self._headers)
        answer = self._line.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
        return body


def growth_table(rows):
    """One line an operation, one column a size, for each database; the last says how the largest compares."""
    parts = []
    for database in DATABASES:
        mine = [row for row in rows if row["database"] == database]
        if not mine:
            continue
        heads = " | ".join(f"{row['size']:,}" for row in mine)
        stores = " | ".join(f"{row['store_mb']:,}" for row in mine)
        conversations = " | ".join(f"{row['conversations']:,}" for row in mine)
        lines = [
            f"| {database}: CPU µs | {heads} | largest / smallest |",
            "|---|" + "---:|" * (len(mine) + 1),
            *(_line(name, mine) for name in mine[0]["cpu_us"]),
            f"| conversations | {conversations} | |",
            f"| MB of the store | {stores} | |",
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _line(name, rows):
    costs = [row["cpu_us"][name] for row in rows]
    return f"| {name} | {' | '.join(f'{each:,}' for each in costs)} | {costs[-1] / costs[0]:.2f} |"
