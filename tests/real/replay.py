"""Replays real dialogues over sockets: every visitor on his own, agents many at a time in their consoles."""

import asyncio
import json
import random
from collections import defaultdict
from dataclasses import dataclass, field

from tests.people import fresh_id
from tests.raw import Raw

SEVERAL = 300
"""Dialogues that are going on at the same time."""


@dataclass
class Dialogue:
    """Turns as (side, text), side being visitor or agent."""

    name: str
    turns: list


@dataclass
class Played:
    """A dialogue that was replayed, and what each side heard of the other."""

    dialogue: Dialogue
    conversation: str
    seqs: list
    heard: dict = field(default_factory=dict)


def read_taskmaster(folder):
    sides = {"user": "visitor", "assistant": "agent"}
    for row in _lines(folder / "data" / "taskmaster4" / "dialogs.jsonl"):
        yield Dialogue(row["id"], [(sides[who], text) for who, text in row["turns"]])


def read_sgd(folder):
    sides = {"USER": "visitor", "SYSTEM": "agent"}
    for row in _lines(folder / "data" / "sgd" / "dialogues.jsonl"):
        yield Dialogue(row["id"], [(sides[who], text) for who, text, _ in row["turns"]])


def read_multidogo(folder):
    """Only the visitors' turns are in this collection."""
    for file in sorted((folder / "data" / "multidogo").glob("*.jsonl")):
        turns = defaultdict(list)
        for row in _lines(file):
            # Thirteen turns say nothing at all; Balie refuses those as `empty`.
            if row["text"].strip():
                turns[row["conversation"]].append((row["turn"], row["text"]))
        for name, said in turns.items():
            yield Dialogue(name, [("visitor", text) for _, text in sorted(said)])


def _lines(path):
    for line in path.read_text().splitlines():
        yield json.loads(line)


READERS = {"taskmaster4": read_taskmaster, "sgd": read_sgd, "multidogo": read_multidogo}


def sample(dialogues, count, seed=2026):
    return random.Random(seed).sample(dialogues, min(count, len(dialogues)))


class Ear:
    """A socket that sorts what it hears: answers by message, events by conversation."""

    def __init__(self, raw):
        self.raw = raw
        self._answers = {}
        self._events = defaultdict(asyncio.Queue)
        self._reading = asyncio.create_task(self._read())

    async def _read(self):
        while (frame := await self.raw.hear(within=120)) is not None:
            key = frame.get("client_message_id") or frame.get("ref")
            if frame["type"] in ("ack", "error") and key in self._answers:
                self._answers.pop(key).set_result(frame)
            elif frame["type"] == "events":
                for event in frame["events"]:
                    self._events[frame["conversation"]].put_nowait(event)

    async def post(self, conversation, text):
        key = fresh_id()
        answer = self._answers[key] = asyncio.get_running_loop().create_future()
        post = {"type": "post", "client_message_id": key, "conversation": conversation}
        await self.raw.send(post | {"text": text})
        frame = await asyncio.wait_for(answer, 60)
        assert frame["type"] == "ack", frame
        return frame

    async def message(self, conversation):
        """The next message that somebody else said there."""
        while True:
            event = await asyncio.wait_for(self._events[conversation].get(), 60)
            if event["type"] == "message.posted":
                return event

    def rest(self, conversation):
        """Messages that nobody has asked for."""
        queue = self._events.pop(conversation, None)
        left = []
        while queue is not None and not queue.empty():
            left.append(queue.get_nowait())
        return [event for event in left if event["type"] == "message.posted"]

    async def close(self):
        await self.raw.close()
        await self._reading


async def open_visitor(demo):
    raw = await Raw(demo.port, "visitor", {"Origin": demo.url}).open()
    await raw.send({"type": "hello", "site": demo.site})
    assert (await raw.expect("welcome")) is not None
    return Ear(raw)


async def open_console(demo, agent):
    ticket = (await agent.http.post("/api/v1/socket-tickets")).json()["ticket"]
    cookies = "; ".join(f"{name}={value}" for name, value in agent.http.cookies.items())
    raw = await Raw(demo.port, "agent", {"Origin": demo.url, "Cookie": cookies}).open()
    await raw.send({"type": "hello", "ticket": ticket})
    assert (await raw.expect("welcome")) is not None
    return Ear(raw)


async def play(demo, console, dialogue):
    """Say every turn, each after the other side has heard the one before it."""
    visitor = await open_visitor(demo)
    heard = {"visitor": [], "agent": []}
    (_, opening), *turns = dialogue.turns
    first = await visitor.post(None, opening)
    conversation, seqs = first["conversation"], [first["seq"]]
    await console.raw.send({"type": "resume", "conversation": conversation, "last_seq": 0})
    heard["agent"].append(await console.message(conversation))
    for side, text in turns:
        speaker, listener, other = (
            (visitor, console, "agent") if side == "visitor" else (console, visitor, "visitor")
        )
        seqs.append((await speaker.post(conversation, text))["seq"])
        heard[other].append(await listener.message(conversation))
    await console.raw.send({"type": "leave", "conversation": conversation})
    heard["visitor"] += visitor.rest(conversation)
    heard["agent"] += console.rest(conversation)
    await visitor.close()
    return Played(dialogue, conversation, seqs, heard)


async def play_all(demo, agents, dialogues):
    """All dialogues, SEVERAL at a time, spread over the agents' consoles."""
    consoles = [await open_console(demo, agent) for agent in agents]
    turn = asyncio.Semaphore(SEVERAL)

    async def one(index, dialogue):
        async with turn:
            return await play(demo, consoles[index % len(consoles)], dialogue)

    played = await asyncio.gather(*(one(*each) for each in enumerate(dialogues)))
    for console in consoles:
        await console.close()
    return played


async def read_log(agent, conversation):
    """The messages of a conversation as the store has them: (seq, side, text)."""
    found, after = [], 0
    while True:
        answer = await agent.http.get(
            f"/api/v1/conversations/{conversation}/events", params={"after": after}
        )
        page = answer.json()
        events = page.get("data", page.get("events"))
        if not events:
            break
        assert [event["seq"] for event in events] == list(range(after + 1, after + 1 + len(events)))
        after = events[-1]["seq"]
        found += [
            (event["seq"], event["author"]["kind"], event["data"]["text"])
            for event in events
            if event["type"] == "message.posted"
        ]
    return found
