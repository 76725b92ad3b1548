"""Power loss, again and again: the recorded writes and syncs of the real store are cut anywhere and replayed.

A trace of system calls (strace) of `tests.faults.writing` says in which order the store wrote, synced and
acknowledged. A cut keeps what was synced before it; of every later write it keeps all, nothing, or some
sectors, each by itself, as a disk with a cache may. Then the database is opened as after a restart.

`python -m tests.faults.power --cuts 1000 --seed 0 [--synchronous NORMAL] [--json FILE]`
"""

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pysqlite3.dbapi2 as driver

from balie.conversations.projection import COLUMNS, from_row
from balie.conversations.rules import evolve
from balie.kernel.events import Envelope, decode_author, decode_payload

SECTOR = 512
CALLS = "openat,pwrite64,write,fsync,fdatasync,ftruncate,unlink,rename"
CUTS_PER_TRACE = 1_000
FORGOTTEN = ("-shm",)
"""Shared memory is not on the disk."""


class Op(msgspec.Struct):
    """Something done to a file. `begun` and `ended` are places in the trace."""

    kind: str
    path: str
    begun: int
    ended: int
    data: bytes = b""
    at: int = 0


@dataclass
class Trace:
    """What the store did, in order; `acks` are (place, conversation, seq, client_message_id)."""

    ops: list[Op] = field(default_factory=list)
    acks: list[tuple[int, str, int, str]] = field(default_factory=list)
    ready: int = 0
    end: int = 0


def record(folder: Path, *, seed: int, messages: int, synchronous: str | None = None) -> Trace:
    """Run the store under strace in `folder`, which must be empty."""
    home = folder / "data"
    home.mkdir()
    program = [sys.executable, "-m", "tests.faults.writing", str(home), "--seed", str(seed)]
    settings = ["--messages", str(messages)]
    if synchronous:
        settings += ["--synchronous", synchronous]
    watch = ["strace", "-f", "-qq", "-y", "--seccomp-bpf", "-xx", "-s", "100000000"]
    output = folder / "trace"
    subprocess.run(
        [*watch, "-e", f"trace={CALLS}", "-o", str(output), *program, *settings],
        check=True,
        cwd=Path(__file__).resolve().parent.parent.parent,
        capture_output=True,
    )
    return read_trace(output, str(home) + "/")


_LINE = re.compile(r"(\d+) +(.*)")
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)")


def read_trace(path: Path, home: str) -> Trace:
    """The operations on files below `home`."""
    trace = Trace()
    unfinished: dict[str, tuple[int, str]] = {}
    with path.open() as lines:
        for place, line in enumerate(lines):
            thread, call = _LINE.match(line.rstrip("\n")).groups()
            if call.endswith("<unfinished ...>"):
                begun = (place, call.removesuffix(" <unfinished ...>"))
                unfinished[thread] = begun
                note_ack(trace, place, begun[1], home)
                continue
            if resumed := _RESUMED.match(call):
                begun_at, start = unfinished.pop(thread)
                add(trace, start + resumed[2], begun_at, place, home)
            else:
                note_ack(trace, place, call, home)
                add(trace, call, place, place, home)
            trace.end = place
    return trace


_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_LAST = re.compile(r", (\d+) *\) += ")
_FILE = re.compile(r"^\w+\(\d+<((?:\\x[0-9a-f]{2})*)>")


def unescaped(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def note_ack(trace: Trace, place: int, call: str, home: str) -> None:
    """An ack counts from the moment that it begins to be said."""
    if not call.startswith("write("):
        return
    if unescaped(_FILE.match(call)[1]).decode() != home + "acks":
        return
    said = unescaped(_TEXT.search(call)[1]).decode()
    if said == "READY\n":
        trace.ready = place
        return
    conversation, seq, key = said.split()
    trace.acks.append((place, conversation, int(seq), key))


def add(trace: Trace, call: str, begun: int, ended: int, home: str) -> None:
    name, result = call.partition("(")[0], call.rpartition("= ")[2]
    if result.startswith("-1"):
        return
    if file := _FILE.match(call):
        path = unescaped(file[1]).decode()
    else:
        path = unescaped(_TEXT.search(call)[1]).decode()
    path = path.removesuffix(" (deleted)")
    if not path.startswith(home.rstrip("/")) or path.endswith(("acks", *FORGOTTEN)):
        return
    # The folder itself is called "".
    op = Op(name, (path + "/").removeprefix(home).rstrip("/"), begun, ended)
    if name == "openat":
        if "O_CREAT" not in call:
            return
    elif name == "pwrite64":
        op.data = unescaped(_TEXT.search(call)[1])
        op.at = int(_LAST.search(call)[1])
    elif name == "ftruncate":
        op.at = int(_LAST.search(call)[1])
    elif name in ("write", "rename"):
        raise ValueError(f"the store does what this replay does not know: {call[:200]}")
    trace.ops.append(op)


class Disk:
    """The files as they are after a cut at `place`, with `chance` deciding what of the unsynced is there."""

    def __init__(self, trace: Trace, place: int, chance: random.Random) -> None:
        self.chance = chance
        self.files: dict[str, bytearray] = {}
        self.made: dict[str, Op] = {}
        done = [op for op in trace.ops if op.begun < place]
        syncs = [op for op in done if op.kind in ("fsync", "fdatasync") and op.ended < place]
        for op in done:
            durable = any(sync.path == op.path and op.ended < sync.begun for sync in syncs)
            self.apply(op, durable=durable)
        self.lose_names(trace, syncs)

    def apply(self, op: Op, *, durable: bool) -> None:
        if op.kind == "openat":
            if op.path not in self.files:
                self.files[op.path] = bytearray()
                self.made[op.path] = op
        elif op.kind == "unlink":
            self.files.pop(op.path, None)
        elif op.kind == "ftruncate" and (durable or self.chance.random() < 0.5):
            content = self.files[op.path]
            del content[op.at :]
            content.extend(bytes(op.at - len(content)))
        elif op.kind == "pwrite64":
            fate = 1.0 if durable else self.chance.choice((0.0, 1.0, 0.5))
            self.write(op, fate)

    def write(self, op: Op, fate: float) -> None:
        content = self.files.setdefault(op.path, bytearray())
        for start in range(0, len(op.data), SECTOR):
            if fate < 1.0 and self.chance.random() >= fate:
                continue
            piece = op.data[start : start + SECTOR]
            at = op.at + start
            content.extend(bytes(max(0, at - len(content))))
            content[at : at + len(piece)] = piece

    def lose_names(self, trace: Trace, syncs: list[Op]) -> None:
        """A file that was made after the load began, in a folder that was not synced since, may be gone."""
        folders = [op for op in syncs if op.path == ""]
        for name, op in self.made.items():
            late = op.begun > trace.ready and not any(op.ended < sync.begun for sync in folders)
            if late and self.chance.random() < 0.5:
                self.files.pop(name, None)

    def put(self, folder: Path) -> Path:
        folder.mkdir()
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        return folder / "balie.sqlite3"


def problems(database: Path, trace: Trace, place: int) -> Iterator[str]:
    """What is wrong with the database that came back after a cut at `place`."""
    connection = driver.connect(str(database))
    try:
        yield from look(connection, trace, place)
    except driver.DatabaseError as error:
        yield f"unreadable: {error}"
    finally:
        connection.close()


def look(connection, trace: Trace, place: int) -> Iterator[str]:
    [(verdict,)] = connection.execute("PRAGMA integrity_check").fetchall()
    if verdict != "ok":
        yield f"integrity: {verdict}"
    logs: dict[str, list[Envelope]] = {}
    query = "SELECT conversation_id, seq, at, author, payload, client_message_id FROM events"
    for row in connection.execute(query + " ORDER BY conversation_id, seq"):
        author, payload = decode_author(row[3]), decode_payload(row[4])
        logs.setdefault(row[0], []).append(
            Envelope(row[0], row[1], row[2], author, payload, row[5])
        )
    yield from lost(logs, trace, place)
    states = {
        row[0]: from_row(row)
        for row in connection.execute(f"SELECT {', '.join(COLUMNS)} FROM conversations")
    }
    for conversation, log in logs.items():
        yield from disorder(conversation, log, states.get(conversation))


def lost(logs: dict[str, list[Envelope]], trace: Trace, place: int) -> Iterator[str]:
    for at, conversation, seq, key in trace.acks:
        if at >= place:
            return
        log = logs.get(conversation, [])
        if len(log) < seq or log[seq - 1].client_message_id != key:
            yield f"lost: {key} was acked as {seq} of {conversation}"


def disorder(conversation: str, log: list[Envelope], row) -> Iterator[str]:
    seqs = [each.seq for each in log]
    if seqs != list(range(1, len(log) + 1)):
        yield f"numbers: {conversation} has {seqs}"
        return
    state = None
    for envelope in log:
        state = evolve(state, "o1", envelope)
    fields = ("last_seq", "message_seq", "message_text", "agent_id", "updated_at", "status")
    if row is None or any(getattr(row, name) != getattr(state, name) for name in fields):
        yield f"row: {conversation} is not what its log adds up to"


def cut_many(
    seed: int, cuts: int, *, messages: int = 600, synchronous: str | None = None
) -> Iterator[tuple[int, list[str]]]:
    """The seeds of cuts, and what was wrong after each. Every CUTS_PER_TRACE cuts have a trace of their own."""
    for first in range(seed, seed + cuts, CUTS_PER_TRACE):
        with tempfile.TemporaryDirectory() as home:
            folder = Path(home)
            trace = record(folder, seed=first, messages=messages, synchronous=synchronous)
            for number in range(first, min(first + CUTS_PER_TRACE, seed + cuts)):
                chance = random.Random(number)
                place = chance.randint(trace.ready + 1, trace.end + 1)
                database = Disk(trace, place, chance).put(folder / f"cut{number}")
                yield number, list(problems(database, trace, place))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--synchronous", choices=("NORMAL", "OFF"), help="weaken the store")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    broken = 0
    for number, found in cut_many(asked.seed, asked.cuts, synchronous=asked.synchronous):
        broken += bool(found)
        if found and broken <= 10:
            print(f"cut {number}: {found[0]} (and {len(found) - 1} more)")
    result = {"seed": asked.seed, "cuts": asked.cuts, "broken": broken}
    result["synchronous"] = asked.synchronous or "as shipped"
    print(json.dumps(result))
    if asked.json:
        asked.json.write_text(json.dumps(result) + "\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
