"""Kill the server while it tells other programs what happens, and count what arrives.

Agents write as fast as they get their `ack`; a webhook hears of each message; the server dies at random
moments, and every second time right after the receiver's 200, before it can note that. In the end each
message that the log holds must have arrived, under the one id that it has, however often.

    python -m tests.faults.outbox --kills 100 --events 10000
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tests.outbound.sinks import Sink, listening
from tests.people import Agent, Demo, fresh_id, visitor

WRITERS = 8
SETTINGS = {
    "BALIE_OUTBOUND_ALLOW": "127.0.0.0/8",
    "BALIE_MESSAGE_BURST": "100000",
    "BALIE_MESSAGES_PER_SECOND": "100000",
    "BALIE_CONNECTION_BURST": "100000",
    "BALIE_LOG_LEVEL": "error",
}
PATIENCE = 90.0
"""Seconds without any arrival after which, the killing over, nothing more is expected; a lease over PostgreSQL
takes 30. A slow machine may have much left to deliver."""


@dataclass
class Tally:
    """What came of it. `findings` is empty when all is well."""

    kills: int = 0
    killed_after_answer: int = 0
    events: int = 0
    requests: int = 0
    twice: int = 0
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)

    def line(self) -> str:
        told = {key: value for key, value in vars(self).items() if key != "findings"}
        return json.dumps(told | {"findings": len(self.findings)})


class Outbox:
    """A server that dies, a receiver that lives, and writers who do not give up."""

    def __init__(self, demo: Demo, sink: Sink, chance: random.Random, tally: Tally) -> None:
        self.demo, self.sink, self.chance, self.tally = demo, sink, chance, tally
        self.dying_after_answer = asyncio.Event()
        self.armed = False
        sink.answer = self.answer
        self.conversation = ""

    async def answer(self, _sink, writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        if self.armed:
            # It has its answer, and no time to write that down.
            self.armed = False
            os.kill(self.demo.process.pid, signal.SIGKILL)
            self.tally.killed_after_answer += 1
            self.dying_after_answer.set()

    async def run(self, kills: int, events: int) -> None:
        self.agent = await Agent(self.demo, self.demo.logins[0]).sign_in()
        url = f"http://127.0.0.1:{self.sink.port}/"
        wish = {"url": url, "types": ["message.posted"]}
        made = await self.agent.http.post("/api/v1/webhooks", json=wish)
        assert made.status_code == 201, made.text
        eva = await visitor(self.demo).open()
        self.conversation = (await eva.post("hallo"))["conversation"]
        await eva.close()
        numbers = iter(range(events))
        writing = asyncio.gather(*(self._write(numbers) for _ in range(WRITERS)))
        killing = asyncio.ensure_future(self._kill(kills))
        await asyncio.gather(writing, killing)
        await self._check()
        await self.agent.leave()

    async def _write(self, numbers) -> None:
        for number in numbers:
            said = {"client_message_id": fresh_id(), "text": f"nummer {number}"}
            while not await self._said(said):
                await asyncio.sleep(0.05)

    async def _said(self, said) -> bool:
        path = f"/api/v1/conversations/{self.conversation}/messages"
        try:
            answer = await self.agent.http.post(path, json=said)
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    async def _kill(self, kills: int) -> None:
        for number in range(kills):
            await asyncio.sleep(self.chance.uniform(0.05, 1.0))
            if number % 2:
                self.dying_after_answer.clear()
                self.armed = True
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(5):
                        await self.dying_after_answer.wait()
                self.armed = False
            await asyncio.to_thread(self.demo.kill)
            await asyncio.to_thread(self.demo.start)
            self.tally.kills += 1

    async def _check(self) -> None:
        wanted = await self._posted()
        self.tally.events = len(wanted)
        heard, until = 0, time.monotonic() + PATIENCE
        while wanted - set(self._arrived()):
            if len(self.sink.heard) > heard:
                heard, until = len(self.sink.heard), time.monotonic() + PATIENCE
            elif time.monotonic() > until:
                break
            await asyncio.sleep(0.5)
        arrived = self._arrived()
        self.tally.requests = len(self.sink.heard)
        self.tally.twice = sum(len(ids) > 1 for ids in arrived.values())
        findings = self.tally.findings
        findings += [f"missing: {seq}" for seq in sorted(wanted - set(arrived))]
        findings += [f"never said: {seq}" for seq in sorted(set(arrived) - wanted)]
        findings += [f"{len(set(i))} ids: {seq}" for seq, i in arrived.items() if len(set(i)) > 1]
        ids = Counter(each for several in arrived.values() for each in set(several))
        findings += [f"one id for two: {each}" for each, times in ids.items() if times > 1]

    def _arrived(self) -> dict[int, list[str]]:
        """The ids under which each event came."""
        ids = defaultdict(list)
        for request in self.sink.heard:
            event = json.loads(request.body)["data"]["event"]
            ids[event["seq"]].append(request.headers["webhook-id"])
        return ids

    async def _posted(self) -> set[int]:
        posted, after = set(), 0
        path = f"/api/v1/conversations/{self.conversation}/events"
        while True:
            answer = await self.agent.http.get(path, params={"after": after, "limit": 200})
            page = answer.json()
            posted |= {each["seq"] for each in page["data"] if each["type"] == "message.posted"}
            if not page["data"] or page["data"][-1]["seq"] >= page["last_seq"]:
                return posted
            after = page["data"][-1]["seq"]


async def run(kills: int, events: int, seed: int, database: str | None = None) -> Tally:
    """Kill so many times while so many messages are written."""
    tally = Tally()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo(Path(folder) / "data", settings=SETTINGS, database=database)
        async with listening(Sink()) as sink:
            await asyncio.to_thread(demo.start)
            try:
                await Outbox(demo, sink, random.Random(seed), tally).run(kills, events)
            finally:
                if demo.process is not None:
                    await asyncio.to_thread(demo.stop)
    tally.seconds = round(time.monotonic() - began, 1)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--round", type=int, default=50, help="kills before a new store (50)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--database", choices=("sqlite", "postgresql"))
    asked = parser.parse_args()
    failed = False
    left, rounds = asked.kills, -(-asked.kills // asked.round)
    for number in range(rounds):
        kills = min(asked.round, left)
        left -= kills
        tally = asyncio.run(run(kills, asked.events // rounds, asked.seed + number, asked.database))
        print(tally.line(), *tally.findings[:20], sep="\n", flush=True)
        failed = failed or bool(tally.findings)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
