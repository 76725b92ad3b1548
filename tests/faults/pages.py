"""Pages over real sockets: the client sessions of the simulation, with the real network and time under them."""

import asyncio
import contextlib
import time
from typing import Any

import httpx
import msgspec
from tests.people import Agent
from tests.simulation.people import Client
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException


class Clock:
    """Real time, where the simulation has its own."""

    @property
    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def after(self, delay: float, act: Any, *args: Any) -> None:
        asyncio.get_running_loop().call_later(delay / 1_000, act, *args)


class Page(Client):
    """A page over real sockets, whoever's it is."""

    actor = None

    def start(self) -> None:
        super().start()
        self.dialling: asyncio.Task[None] | None = None
        self.outgoing: asyncio.Queue[str] | None = None

    def do_connect(self, _effect: dict[str, Any]) -> None:
        self.hang_up()
        self.dialling = asyncio.get_running_loop().create_task(self.talk())

    def hang_up(self) -> None:
        self.outgoing = None
        if self.dialling is not None:
            self.dialling.cancel()
            self.dialling = None

    def do_send(self, effect: dict[str, Any]) -> None:
        if self.outgoing is not None:
            self.outgoing.put_nowait(msgspec.json.encode(effect["frame"]).decode())

    async def talk(self) -> None:
        code = 1006
        with contextlib.suppress(OSError, WebSocketException, httpx.HTTPError):
            code = await self.talk_until_it_ends()
        self.dialling = None
        self.world.closes[code] += 1
        self.step({"type": "disconnected", "code": code})

    async def talk_until_it_ends(self) -> int:
        hello = await self.hello_now()
        url = f"ws://{self.world.address_of(self)}/ws/{self.kind}"
        headers = {"Origin": self.world.demo.url} | self.cookies()
        how = {"compression": None, "ping_interval": None, "open_timeout": 5}
        how |= await self.world.way(self)
        async with connect(url, additional_headers=headers, **how) as socket:
            self.outgoing = asyncio.Queue()
            writing = asyncio.create_task(self.write(socket, self.outgoing))
            self.step({"type": "connected", "hello": hello})
            try:
                async for text in socket:
                    self.world.history.heard(self, text.encode())
                    self.step({"type": "received", "frames": msgspec.json.decode(text)})
            finally:
                writing.cancel()
            return socket.close_code or 1006

    async def write(self, socket: Any, outgoing: asyncio.Queue[str]) -> None:
        with contextlib.suppress(WebSocketException):
            while True:
                await socket.send(await outgoing.get())

    def do_fill(self, effect: dict[str, Any]) -> None:
        asyncio.get_running_loop().create_task(self.fill(effect))

    async def fill(self, effect: dict[str, Any]) -> None:
        conversation = effect["conversation"]
        query = {name: effect[name] for name in ("after", "before") if name in effect}
        try:
            answer = await self.http().get(self.events_path(conversation), params=query)
            answer.raise_for_status()
        except httpx.HTTPError:
            self.unfilled(conversation)
            return
        page = answer.json()
        events = page["data"] if isinstance(page, dict) else page
        self.step({"type": "filled", "conversation": conversation, "events": events})

    def cookies(self) -> dict[str, str]:
        return {}

    def say(self, conversation: str | None, kind: str = "post") -> None:
        # Noted first: the answer may be quicker than the way back to here.
        self.world.history.said_at.append(time.monotonic())
        super().say(conversation, kind)

    def told_error(self, frame: dict[str, Any]) -> None:
        self.world.errors[frame["code"]] += 1


class VisitorPage(Page):
    kind = "visitor"

    async def hello_now(self) -> dict[str, Any]:
        return {"site": self.world.demo.site}

    def events_path(self, conversation: str) -> str:
        return f"/api/v1/visitor/conversations/{conversation}/events"

    def http(self) -> httpx.AsyncClient:
        self.world.http.headers["Authorization"] = f"Bearer {self.session.token}"
        return self.world.http

    def say_something(self) -> None:
        # A first message is waited for, so that each visitor has one conversation.
        known = self.known()
        if known is not None or not self.session.outbox.items:
            self.say(known)


class AgentPage(Page):
    kind = "agent"

    def __init__(self, world: Any, name: str, agent: Agent) -> None:
        self.agent = agent
        super().__init__(world, name)

    async def hello_now(self) -> dict[str, Any]:
        answer = await self.agent.http.post("/api/v1/socket-tickets")
        answer.raise_for_status()
        return {"ticket": answer.json()["ticket"]}

    def cookies(self) -> dict[str, str]:
        cookies = self.agent.http.cookies.items()
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies)}

    def events_path(self, conversation: str) -> str:
        return f"/api/v1/conversations/{conversation}/events"

    def http(self) -> httpx.AsyncClient:
        return self.agent.http

    def told_inbox(self, frame: dict[str, Any]) -> None:
        for row in frame["rows"]:
            self.follow(row["id"])

    def say_something(self) -> None:
        if conversation := self.known():
            self.say(conversation, "note" if self.world.chance.random() < 0.2 else "post")
