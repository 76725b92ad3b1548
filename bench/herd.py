"""Ten thousand visitors: what an idle one costs, and what it takes to have all of them back after a crash."""

import asyncio
import json
import random
import sys
import time

import msgspec
import uvloop

from bench.line import open_line
from bench.load import message_id
from bench.machine import cpu_seconds, memory_mb

GAP = 5
AT_ONCE = 200


class Told(msgspec.Struct):
    type: str
    conversation: str | dict = ""
    seq: int = 0
    events: list[dict] = []
    visitor: dict | None = None


decode = msgspec.json.Decoder(Told | list[Told]).decode


class Visitor:
    """One tab: greets, may start a conversation, may come back to it."""

    def __init__(self, target, number):
        self._target, self._number = target, number
        self.token = self.conversation = self.line = None
        self.seqs = []
        self._expected = {}

    async def open(self, *, resume=None):
        self.line = await open_line(
            self._target["port"],
            "/ws/visitor",
            {"Origin": self._target["origin"]},
            lambda _line, message: self._hear(message),
        )
        self.line.on_close = self._closed
        hello = {"type": "hello", "site": self._target["site"]}
        if resume is not None:
            hello["token"] = self.token
            hello["resume"] = [{"conversation": self.conversation, "last_seq": resume}]
        self.line.send(json.dumps(hello).encode())
        self.token = (await self._expect("welcome")).visitor["token"]

    async def speak(self, count):
        for number in range(count):
            post = {
                "type": "post",
                "conversation": self.conversation,
                "client_message_id": message_id(self._number, number),
                "text": f"Is it {number} o'clock yet?",
            }
            self.line.send(json.dumps(post).encode())
            self.conversation = (await self._expect("ack")).conversation

    async def filled(self, first, last):
        """The gap has come in, whole."""
        while not self.seqs or self.seqs[-1] < last:
            await self._expect("events")
        assert self.seqs == list(range(first, last + 1)), self.seqs

    def _expect(self, kind):
        self._expected[kind] = asyncio.get_running_loop().create_future()
        return asyncio.wait_for(self._expected[kind], 120)

    def _closed(self, line):
        for waiting in self._expected.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError(f"closed with {line.closed_with}"))
        self._expected.clear()

    async def come_back(self):
        """Until it works, as a page does. Returns how often it had to be tried again."""
        for tries in range(20):
            self.seqs.clear()
            try:
                await self.open(resume=1)
                await self.filled(2, 1 + GAP)
            except OSError:
                await asyncio.sleep(random.uniform(0, min(30, 0.5 * 2**tries)))
            else:
                return tries
        raise ConnectionError("it does not come back")

    def _hear(self, message):
        told = decode(message)
        for frame in told if isinstance(told, list) else (told,):
            if frame.type == "events":
                self.seqs += [event["seq"] for event in frame.events]
            waiting = self._expected.pop(frame.type, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(frame)


async def each(visitors, act):
    """Do something with every visitor, AT_ONCE at a time."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(visitor):
        async with turn:
            await act(visitor)

    await asyncio.gather(*map(one, visitors))


async def serve(target):
    """Take orders from standard input, one JSON line each; answer each with one."""
    visitors = [Visitor(target, number) for number in range(target["visitors"])]
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        start = time.perf_counter()
        told = await ORDERS[order["do"]](visitors)
        seconds = round(time.perf_counter() - start, 2)
        print(json.dumps({"seconds": seconds, "told": told}), flush=True)


async def connect(visitors):
    await each(visitors, lambda visitor: visitor.open())


async def speak(visitors):
    """Every visitor starts a conversation: started, and GAP messages."""
    await each(visitors, lambda visitor: visitor.speak(GAP))


async def leave(visitors):
    for visitor in visitors:
        visitor.line.transport.abort()
    await asyncio.sleep(1)


async def come_back(visitors):
    """As after a crash: all at once, with token, and a gap of GAP events to fill. Returns the retries."""
    return sum(await asyncio.gather(*(visitor.come_back() for visitor in visitors)))


ORDERS = {"connect": connect, "speak": speak, "leave": leave, "come back": come_back}


class Herd:
    """The crowd, in a process of its own: ten thousand sockets are half of what one may have."""

    def __init__(self, process):
        self._process = process

    def do(self, what):
        """Give an order, wait for it. Returns its wall time in seconds, and what else there is to tell."""
        self._process.stdin.write(json.dumps({"do": what}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the crowd broke down at {what!r}"
        answer = json.loads(answer)
        return answer["seconds"], answer["told"]


def settled_memory(pid):
    """PSS in MB once it stands still."""
    time.sleep(2)
    return memory_mb([pid])[1]


def measure_idle(server, herd, visitors):
    """KiB of each idle connected visitor."""
    before = settled_memory(server.pid)
    seconds, _ = herd.do("connect")
    after = settled_memory(server.pid)
    return {
        "visitors": visitors,
        "connect_s": seconds,
        "pss_mb_before": before,
        "pss_mb": after,
        "kib_per_visitor": round((after - before) * 1024 / visitors, 1),
    }


def measure_return(server, herd):
    """Kill the server, start it, and have everybody back: CPU of the new process, and wall time."""
    herd.do("speak")
    server.kill()
    herd.do("leave")
    start = time.perf_counter()
    server.start()
    started, cpu = time.perf_counter() - start, cpu_seconds([server.pid])
    seconds, retries = herd.do("come back")
    return {
        "gap_events": GAP,
        "serving_again_s": round(started, 2),
        "wall_s": seconds,
        "retries": retries,
        "server_cpu_s": round(cpu_seconds([server.pid]) - cpu, 2),
    }


if __name__ == "__main__":
    uvloop.run(serve(json.loads(sys.argv[1])))
