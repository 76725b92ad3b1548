"""How a client keeps its connection: tries, greets, listens for silence, comes back. Pure.

The base of `ClientSession`; see there.
"""

import math
from collections.abc import Callable
from itertools import islice
from typing import Any, Literal

from balie.realtime.protocol.client_log import Log
from balie.realtime.protocol.client_outbox import Outbox
from balie.realtime.protocol.client_pace import Pace
from balie.realtime.protocol.frames import Close

Frame = dict[str, Any]
Input = dict[str, Any]
Effect = dict[str, Any]
Status = Literal["idle", "connecting", "live", "waiting", "stopped"]

WELCOME_WITHIN = 10_000
PONG_WITHIN = 5_000
FIRST_DELAY = 500
MAX_DELAY = 30_000
STEADY_AFTER = 10_000
"""A connection that ends sooner counts as a failed attempt, welcome or not."""
SCOLDED_DELAY = 30_000
MAX_SCOLDED = 300_000
FORGIVEN_AFTER = 600_000
"""Since the last close for too many frames, ms; within it the next one counts double."""
TOKEN_WITHIN = 10_000
"""How long whoever got a new id waits for its token before beginning anew, ms."""
MOST_RESUMED = {"visitor": 50, "agent": 300}
FINAL = (Close.BINARY, Close.NOT_UTF8, Close.BAD_HELLO, Close.FORBIDDEN)
"""Close codes after which trying again would be wrong."""


class ClientLine:
    """A client's connection and what it needs to come back: how far each log is, and what is unsent."""

    def __init__(self, kind: Literal["visitor", "agent"], chance: Callable[[], float]) -> None:
        self.kind = kind
        self.status: Status = "idle"
        self.transport = "socket"
        self.logs: dict[str, Log] = {}
        self.outbox = Outbox()
        self.pace = Pace()
        self.author: dict[str, Any] = {"kind": kind}
        """Who we are, from the last `welcome`; goes with what we send."""
        self.token: str | None = None
        self._chance = chance
        self._now: float = 0
        self._effects: list[Effect] = []
        self._failures = 0
        self._steady_at = 0.0
        self._misses = 0
        self._drain: float = 0
        self._heartbeat: float = 0
        # When: the connection must stand; to try again; to ask whether anybody is there; to give up.
        self._welcome_by: float = 0
        self._retry_at: float = 0
        self._ping_at: float = 0
        self._pong_by: float = 0
        # Conversations that the last `hello` asked to resume, and whether there was one.
        self._resumed: set[str] = set()
        self._greeted = False
        # Closes for too many frames: how many in a row, when the last was, and before when not to come back.
        self._scoldings = 0
        self._scolded_at = -math.inf
        self._banned_until: float = 0
        # A proof of identity is under way; and: the server has given us a new id, its token is to come.
        self._identifying = False
        self._renamed = False
        # The page that is to be told, and the one that was.
        self._page: Frame | None = None
        self._told_page: Frame | None = None
        self._page_at: float = -math.inf
        self._alive: Frame | None = None
        self._alive_at: float = 0

    def _opened(self, _: Input) -> None:
        if self.status in ("idle", "stopped"):
            self._retry()

    def _shut(self, _: Input) -> None:
        self._drop()
        self._become("idle")

    def _offline(self, _: Input) -> None:
        if self._is_connected():
            self._lose()

    def _come_back(self) -> None:
        """Connect as soon as we may."""
        if self._identifying and "id" in self.author:
            # Under the old id everything would be strange to us.
            self._retry_at = 0
            self._become("waiting")
        elif self._now < self._banned_until:
            self._retry_at = self._banned_until
            self._become("waiting")
        else:
            self._connect()

    def _connect(self) -> None:
        self._retry_at = 0
        self._greeted = False
        self._welcome_by = self._now + WELCOME_WITHIN
        self._become("connecting")
        self._do({"type": "connect", "transport": self.transport})

    def _connected(self, happened: Input) -> None:
        resume = [
            {"conversation": conversation, "last_seq": log.greet()}
            for conversation, log in islice(self.logs.items(), MOST_RESUMED[self.kind])
        ]
        self._greeted = True
        # A page that is to be known stands in the hello.
        self._page = None
        self._resumed = {str(each["conversation"]) for each in resume}
        token = {"token": self.token} if self.token else {}
        frame = {"type": "hello", **happened["hello"], **token, "resume": resume}
        self._do({"type": "send", "frame": frame})

    def _welcome(self, frame: Frame) -> None:
        self._welcome_by = self._drain = 0
        self._misses = 0
        self._steady_at = self._now + STEADY_AFTER
        self._heartbeat = frame["heartbeat_ms"]
        self._learn_who_we_are(frame)
        if self._alive:
            self._alive_at = 1
        self.pace.begin(self._now)
        self._become("live")
        self._do({"type": "tell", "frame": frame})
        for conversation, log in self.logs.items():
            if conversation not in self._resumed:
                log.listen(self._now)
        for known in frame.get("conversations", ()):
            self._hear(known)

    def _learn_who_we_are(self, frame: Frame) -> None:
        if visitor := frame.get("visitor"):
            self.token = visitor["token"]
            self.author = {"kind": "visitor", "id": visitor["id"]}
            self.outbox.own(visitor)
            return
        agent = frame["agent"]
        self.author = {"kind": "agent", "id": agent["id"], "name": agent["name"]}
        if picture := agent.get("picture"):
            self.author["picture"] = picture

    def _disconnected(self, happened: Input) -> None:
        if not self._is_connected():
            return
        code = happened["code"]
        self._forgive()
        if code == Close.TOO_BIG:
            self.outbox.fail_sent("too_long")
        if code in FINAL:
            self._stop(code)
        elif code == Close.RENAMED or (code == Close.UNAUTHORISED and self._identifying):
            self._await_token()
        elif code == Close.UNAUTHORISED:
            self._sign_out(code)
        elif code == Close.POLICY:
            self._scolded()
        else:
            self._wait()

    def _scolded(self) -> None:
        """We were far too fast: stay away, each time longer, and go slowly afterwards."""
        calm = self._now - self._scolded_at > FORGIVEN_AFTER
        self._scoldings = 1 if calm else self._scoldings + 1
        self._scolded_at = self._now
        delay = min(MAX_SCOLDED, SCOLDED_DELAY * 2 ** (self._scoldings - 1))
        self._banned_until = self._now + delay
        self.pace.slow_down(self._now, None)
        self._wait(delay)

    def _stop(self, code: int) -> None:
        self._forget_connection()
        self._become("stopped", code)

    def _sign_out(self, code: int) -> None:
        if self.kind == "agent" and self._greeted:
            # A ticket does not outlive its server: whether the session does, asking for a new one will tell.
            self._wait(0 if self._failures == 0 else None)
            return
        if self.kind == "agent":
            self._do({"type": "signed_out"})
            self._stop(code)
            return
        self._begin_anew()
        self._wait()

    def _begin_anew(self) -> None:
        """Nobody knows us any more: a new visitor, with the unsent text of the old one."""
        self._do({"type": "signed_out"})
        self._renamed = False
        self.token = None
        self.author = {"kind": self.kind}
        self.logs.clear()
        self.outbox.own()
        self.outbox.forget()

    # A new id: the token for it comes over HTTP, to us or to another tab of this browser.

    def _await_token(self) -> None:
        self._renamed = True
        self._wait(TOKEN_WITHIN)
        if self._identifying:
            self._retry_at = 0

    def _identify(self, _: Input) -> None:
        self._identifying = self.outbox.held = True
        if self._renamed:
            self._retry_at = 0

    def _identified(self, happened: Input) -> None:
        self._identifying = self.outbox.held = False
        visitor = happened.get("visitor")
        if visitor:
            self._renamed = False
            self.token = visitor["token"]
            # Whether he is proven, the next welcome says.
            if visitor["id"] != self.author.get("id"):
                self.outbox.own()
        if self.status == "waiting":
            self._retry()
        elif visitor and visitor["id"] != self.author.get("id") and self._is_connected():
            self._change_over()

    def _is_connected(self) -> bool:
        return self.status in ("live", "connecting")

    def _change_over(self) -> None:
        """On a new connection, perhaps as somebody else."""
        self._drop()
        self.status = "waiting"
        self._connect()

    def _wait(self, delay: float | None = None) -> None:
        """Come back after a while; a second miss in a row tries the other transport."""
        if self.status == "connecting":
            self._misses += 1
            if self._misses > 1:
                self._misses = 1
                self.transport = "sse" if self.transport == "socket" else "socket"
        self._forgive()
        self._forget_connection()
        backoff = min(MAX_DELAY, FIRST_DELAY * 2**self._failures)
        self._failures += 1
        chance = self._chance()
        own = self._drain + chance * self._drain if self._drain else chance * backoff
        self._drain = 0
        # Half a millisecond is rounded up, as in JavaScript.
        self._retry_at = self._now + (math.floor(own + 0.5) if delay is None else delay)
        self._become("waiting")

    def _forgive(self) -> None:
        """A connection that lasted makes up for those that did not."""
        if self._steady_at and self._now >= self._steady_at:
            self._failures = 0
        self._steady_at = 0

    def _forget_connection(self) -> None:
        self._welcome_by = self._ping_at = self._pong_by = self._alive_at = self._retry_at = 0
        self.outbox.unsend()
        for log in self.logs.values():
            log.ask_at = log.filling = 0
            log.deaf = False
        self._doubt_marks()

    def _doubt_marks(self) -> None:
        """A mark that was just sent may be lost with the connection, or was refused without a name."""
        for log in self.logs.values():
            if self._now - log.mark_at < MAX_DELAY and log.delivered:
                log.marked = False

    def _lose(self) -> None:
        self._do({"type": "disconnect"})
        self._wait()

    def _drop(self) -> None:
        if self._is_connected():
            self._do({"type": "disconnect"})
        self._forget_connection()

    def _online(self, happened: Input) -> None:
        """The network is back. What was dialled without it waits for an answer that may never come."""
        if self.status == "connecting":
            self._change_over()
        else:
            self._hurry(happened)

    def _hurry(self, _: Input) -> None:
        """The network is back or the page woke: do not wait for a timer that slept."""
        if self.status == "waiting":
            if not self._renamed:
                self._come_back()
        elif self.status == "live" and not self._pong_by:
            self._ping()

    def _ping(self) -> None:
        self._ping_at = 0
        self._pong_by = self._now + PONG_WITHIN
        self._send({"type": "ping"})

    def _keep(self) -> None:
        """A time has come: try again, give up, or ask whether anybody is there."""
        if self._passed(self._retry_at):
            self._retry()
        elif self._passed(self._welcome_by) or self._passed(self._pong_by):
            self._lose()
        elif self.status == "live" and self._passed(self._ping_at):
            self._ping()

    def _retry(self) -> None:
        if self._renamed:
            self._begin_anew()
        self._come_back()

    def _passed(self, time: float) -> bool:
        return 0 < time <= self._now

    def _tell(self, frame: Frame) -> None:
        self._do({"type": "tell", "frame": frame})

    def _send(self, frame: Frame) -> None:
        if self.status == "live":
            self._do({"type": "send", "frame": frame})

    def _become(self, status: Status, code: int | None = None) -> None:
        if status == self.status:
            return
        self.status = status
        self._do({"type": "status", "status": status, **({"code": code} if code else {})})

    def _do(self, effect: Effect) -> None:
        self._effects.append(effect)

    def _hear(self, known: dict[str, Any]) -> None:
        if log := self.logs.get(known["id"]):
            log.hear(known["last_seq"], self._now)


def resume_frame(conversation: str, last_seq: int) -> Frame:
    """Ask for what comes after `last_seq`."""
    return {"type": "resume", "conversation": conversation, "last_seq": last_seq}
