"""The load driver, a process of its own: visitors say things, agents' consoles must hear each once.

Closed loop (rate 0): a conversation's next message leaves when every console that follows it has the last
one. Open loop: messages leave by the clock, and latency counts from the scheduled moment, so that a server
that stalls is not spared. Every text carries ~conversation.number~, so lost and doubled ones are exact.
"""

import asyncio
import gc
import json
import random
import re
import resource
import sys
import time
import urllib.request

import msgspec
import uvloop

from bench.line import open_line
from bench.machine import cpu_seconds, memory_mb, percentile_ms

FILLER = " Hello, I ordered a blue kettle last week and the parcel has not arrived yet, can you look it up?"
MARK = re.compile(r"~(\d+)\.(\d+)~")
ALIVE_EVERY = 10.0

now = time.perf_counter


class Plan(msgspec.Struct):
    """What to do. `pid` is the server's, `more_pids` are of others whose time counts as well, and `kinds` those
    whose time is told apart; `watched` is how many consoles follow each conversation."""

    port: int
    origin: str
    site: str
    cookies: list[str]
    pid: int
    more_pids: list[int] = []
    kinds: dict[str, list[int]] = {}
    conversations: int = 100
    watched: int = 1
    rate: float = 0
    window: int = 1
    seconds: float = 10
    warm: float = 2
    drain: float = 10


class Said(msgspec.Struct):
    text: str = ""


class Event(msgspec.Struct):
    seq: int
    data: Said = msgspec.field(default_factory=Said)


class Told(msgspec.Struct):
    """Any frame of the server, as far as the driver looks at it."""

    type: str
    client_message_id: str = ""
    conversation: str | dict = ""
    events: list[Event] = []
    visitor: dict | None = None
    ref: str = ""
    code: str = ""


decode = msgspec.json.Decoder(Told | list[Told]).decode


def message_id(conversation, number):
    """A UUIDv7 of this moment that says which message it is."""
    ms = f"{time.time_ns() // 1_000_000:012x}"
    return f"{ms[:8]}-{ms[8:]}-7000-8000-{conversation:04x}{number:08x}"


class Tally:
    """What was sent, acknowledged and heard, message by message."""

    def __init__(self, plan):
        self.plan = plan
        self.sent_at = [[] for _ in range(plan.conversations)]
        self.acked = [bytearray() for _ in range(plan.conversations)]
        self.heard = [bytearray() for _ in range(plan.conversations)]
        self.counting = False
        self.over = False
        self.counts = dict.fromkeys(
            ("sent", "acked", "delivered", "doubled", "refused", "disorder"), 0
        )
        self.window_counts = dict.fromkeys(("acked", "delivered"), 0)
        self.latencies, self.ack_latencies = [], []
        self.refusals = {}

    def send(self, conversation, at=None):
        number = len(self.sent_at[conversation])
        self.sent_at[conversation].append(at or now())
        self.acked[conversation].append(0)
        self.heard[conversation].append(0)
        self.counts["sent"] += 1
        return number

    def ack(self, conversation, number):
        if self.acked[conversation][number]:
            self.counts["doubled"] += 1
            return
        self.acked[conversation][number] = 1
        self.counts["acked"] += 1
        if self.counting:
            self.window_counts["acked"] += 1
            self.ack_latencies.append(now() - self.sent_at[conversation][number])

    def deliver(self, conversation, number):
        """One console has it. True when that was the last one."""
        heard = self.heard[conversation]
        heard[number] += 1
        if heard[number] > self.plan.watched:
            self.counts["doubled"] += 1
            return False
        if self.counting:
            self.latencies.append(now() - self.sent_at[conversation][number])
        if heard[number] < self.plan.watched:
            return False
        self.counts["delivered"] += 1
        if self.counting:
            self.window_counts["delivered"] += 1
        return True

    def complete(self):
        sent, gone = self.counts["sent"], self.counts["refused"]
        return min(self.counts["acked"], self.counts["delivered"]) + gone >= sent


class Crowd:
    """All visitors and all consoles."""

    def __init__(self, plan):
        self.plan = plan
        self.tally = Tally(plan)
        self.visitors = []
        self.ids = []
        self.places = {}
        self.consoles = []

    async def gather(self):
        plan = self.plan
        self.visitors = [await self._visitor(number) for number in range(plan.conversations)]
        for number, cookie in enumerate(plan.cookies):
            self.consoles.append(await self._console(number, cookie))

    async def _visitor(self, number):
        ready = asyncio.get_running_loop().create_future()
        line = await open_line(
            self.plan.port,
            "/ws/visitor",
            {"Origin": self.plan.origin},
            lambda _line, message: self._to_visitor(number, ready, message),
        )
        line.send(json.dumps({"type": "hello", "site": self.plan.site}).encode())
        line.send(
            json.dumps(
                {
                    "type": "post",
                    "conversation": None,
                    "client_message_id": message_id(0xFFFF, number),
                    "text": "Hello?",
                }
            ).encode()
        )
        self.ids.append(await ready)
        self.places[self.ids[-1]] = number
        return line

    def _to_visitor(self, number, ready, message):
        told = decode(message)
        for frame in told if isinstance(told, list) else (told,):
            if frame.type == "ack":
                if not ready.done():
                    ready.set_result(frame.conversation)
                else:
                    self.tally.ack(number, int(frame.client_message_id[28:], 16))
            elif frame.type == "error":
                self._refused(frame)

    def _refused(self, frame):
        self.tally.counts["refused"] += bool(frame.ref)
        self.tally.refusals[frame.code] = self.tally.refusals.get(frame.code, 0) + 1

    def followed_by(self, console):
        """The conversations that a console follows: spread evenly, or all by several."""
        consoles = len(self.plan.cookies)
        return [
            number
            for number in range(self.plan.conversations)
            if any((number + step) % consoles == console for step in range(self.plan.watched))
        ]

    async def _console(self, number, cookie):
        plan = self.plan
        followed = self.followed_by(number)
        filled = asyncio.get_running_loop().create_future()
        last = {}
        line = await open_line(
            plan.port,
            "/ws/agent",
            {"Origin": plan.origin, "Cookie": cookie},
            lambda _line, message: self._to_console(last, filled, len(followed), message),
        )
        ticket = await asyncio.to_thread(self._ticket, cookie)
        resume = [{"conversation": self.ids[each], "last_seq": 0} for each in followed]
        line.send(json.dumps({"type": "hello", "ticket": ticket, "resume": resume}).encode())
        await asyncio.wait_for(filled, 20)
        return line

    def _ticket(self, cookie):
        request = urllib.request.Request(
            f"{self.plan.origin}/api/v1/socket-tickets",
            method="POST",
            headers={"Origin": self.plan.origin, "Cookie": cookie},
        )
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())["ticket"]

    def _to_console(self, last, filled, expected, message):
        told = decode(message)
        for frame in told if isinstance(told, list) else (told,):
            if frame.type == "events":
                self._hear(last, frame)
                if len(last) == expected and not filled.done():
                    filled.set_result(None)
            elif frame.type == "error":
                self._refused(frame)

    def _hear(self, last, frame):
        known = last.get(frame.conversation, 0)
        for event in frame.events:
            if event.seq != known + 1:
                self.tally.counts["disorder"] += 1
            known = event.seq
            text = event.data.text
            if text.startswith("~"):
                conversation, number = MARK.match(text).groups()
                self._delivered(int(conversation), int(number))
        last[frame.conversation] = known

    def _delivered(self, conversation, number):
        if self.tally.deliver(conversation, number) and not self.plan.rate and not self.tally.over:
            self.say(conversation)

    def say(self, conversation, at=None):
        number = self.tally.send(conversation, at)
        self.visitors[conversation].send(
            b'{"type":"post","client_message_id":"%b","conversation":"%b","text":"~%d.%d~%b"}'
            % (
                message_id(conversation, number).encode(),
                self.ids[conversation].encode(),
                conversation,
                number,
                FILLER.encode(),
            )
        )

    async def stay_awake(self):
        while True:
            for console in self.consoles:
                console.send(b'{"type":"alive","awake":true}')
            await asyncio.sleep(ALIVE_EVERY)

    async def pace(self):
        """Open loop: by the clock, conversations in a shuffled round."""
        plan, sent = self.plan, 0
        order = list(range(plan.conversations))
        random.Random(1).shuffle(order)
        gap, start = 1 / plan.rate, now()
        while not self.tally.over:
            while (due := start + sent * gap) <= now():
                self.say(order[sent % len(order)], due)
                sent += 1
            await asyncio.sleep(max(0.0002, due - now()))

    def begin(self):
        """Closed loop: `window` messages on their way in every conversation."""
        for _ in range(self.plan.window):
            for conversation in range(self.plan.conversations):
                self.say(conversation)


async def drive(plan):
    """Do what the plan says and return the figures."""
    crowd = Crowd(plan)
    await crowd.gather()
    gc.collect()
    gc.freeze()
    gc.disable()
    awake = asyncio.create_task(crowd.stay_awake())
    pacing = asyncio.create_task(crowd.pace()) if plan.rate else None
    if not plan.rate:
        crowd.begin()
    await asyncio.sleep(plan.warm)
    figures = await _measure(plan, crowd.tally)
    crowd.tally.over = True
    if pacing is not None:
        await pacing
    deadline = now() + plan.drain
    while not crowd.tally.complete() and now() < deadline:  # noqa: ASYNC110 - a clock is all it is
        await asyncio.sleep(0.05)
    awake.cancel()
    return figures | _verdict(crowd.tally)


async def _measure(plan, tally):
    pids = [plan.pid, *plan.more_pids]
    before = {kind: cpu_seconds(roots) for kind, roots in plan.kinds.items()}
    cpu, own, start = cpu_seconds(pids), _own_cpu(), now()
    tally.counting = True
    await asyncio.sleep(plan.seconds)
    tally.counting = False
    wall, used, mine = now() - start, cpu_seconds(pids) - cpu, _own_cpu() - own
    delivered = tally.window_counts["delivered"]
    kinds = {kind: cpu_seconds(roots) - before[kind] for kind, roots in plan.kinds.items()}
    rss, pss = memory_mb([plan.pid])
    return {
        "msgs_s": round(delivered / wall, 1),
        "cpu_s_per_1000": round(used / max(1, delivered) * 1000, 4),
        "cores": round(used / wall, 2),
        "driver_cores": round(mine / wall, 2),
        "rss_mb": rss,
        "pss_mb": pss,
        "kinds": {
            kind: round(spent / max(1, delivered) * 1000, 4)
            for kind, spent in (kinds | {"driver": mine}).items()
        },
    }


def _own_cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _verdict(tally):
    counts = dict(tally.counts)
    counts["lost"] = counts["sent"] - counts["delivered"] - counts["refused"]
    counts["not_acked"] = counts["sent"] - counts["acked"] - counts["refused"]
    tally.latencies.sort()
    tally.ack_latencies.sort()
    return counts | {
        "refusals": tally.refusals,
        "delivery_ms": _spread(tally.latencies),
        "ack_ms": _spread(tally.ack_latencies),
    }


def _spread(seconds):
    return {f"p{share:g}": percentile_ms(seconds, share / 100) for share in (50, 95, 99, 100)}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(drive(msgspec.json.decode(sys.argv[1], type=Plan)))))
