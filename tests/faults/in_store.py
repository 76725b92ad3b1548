"""Many connections write and tidy up one SQLite file at the same time."""

import threading
import time
from pathlib import Path

from tests.faults.rows import Asked, Outcome, folder, row

from balie.store import sqlite

CONNECTIONS = 8


@row("wal-race", "8 connections write and checkpoint one file at once")
async def wal_race(asked: Asked, outcome: Outcome) -> None:
    async with folder() as home:
        path = home / "balie.sqlite3"
        connections = [sqlite.open_engine(path, readers=1) for _ in range(CONNECTIONS)]
        with connections[0].connect() as first, first.begin():
            first.exec_driver_sql("CREATE TABLE kept (who INTEGER, number INTEGER, text TEXT)")
        written = race(connections, asked, asked.seconds or 60)
        outcome.tries = outcome.said = outcome.acked = sum(written)
        judge(path, written, outcome)


def race(connections: list, asked: Asked, seconds: float) -> list[int]:
    """How many rows each connection was told to have kept."""
    written, end = [0] * len(connections), time.monotonic() + seconds
    threads = [
        threading.Thread(target=write, args=(engine, number, written, end, asked))
        for number, engine in enumerate(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for engine in connections:
        engine.dispose()
    return written


def write(engine, number: int, written: list[int], end: float, asked: Asked) -> None:
    """One connection: rows, and every now and then a checkpoint of any kind."""
    chance = asked.chance(str(number))
    with engine.connect() as connection:
        line = connection.connection.driver_connection
        line.execute("PRAGMA busy_timeout=60000")
        while time.monotonic() < end:
            text = "x" * chance.choice((10, 500, 9_000))
            line.execute("BEGIN IMMEDIATE")
            line.execute("INSERT INTO kept VALUES (?, ?, ?)", (number, written[number], text))
            line.execute("COMMIT")
            written[number] += 1
            if chance.random() < 0.2:
                kind = chance.choice(("PASSIVE", "FULL", "RESTART", "TRUNCATE"))
                line.execute(f"PRAGMA wal_checkpoint({kind})").fetchone()


def judge(path: Path, written: list[int], outcome: Outcome) -> None:
    engine = sqlite.open_engine(path)
    with engine.connect() as connection:
        [verdict] = connection.exec_driver_sql("PRAGMA integrity_check").fetchone()
        outcome.require(verdict == "ok", f"integrity_check: {verdict}")
        query = "SELECT who, count(*), count(DISTINCT number), max(number) FROM kept GROUP BY who"
        for who, rows, numbers, last in connection.exec_driver_sql(query):
            if not rows == numbers == last + 1 == written[who]:
                outcome.findings.append(("lost", f"{rows} of {written[who]} rows of {who}"))
    engine.dispose()
