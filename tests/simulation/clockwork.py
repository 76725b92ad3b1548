"""Time that only moves when told: one heap of things to come, and an event loop for each process upon it."""

import asyncio
import heapq
from asyncio import events
from collections.abc import Callable
from typing import Any

_set_running = events._set_running_loop


MOST_STEPS = 200_000
"""A world that takes more than this has something in it that never rests; usual ones take hundreds."""


class RestlessError(Exception):
    """Something happens over and over without time going on."""


class Clockwork:
    """What happens when, in milliseconds. Things of one moment happen in the order they were planned."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.steps = 0
        self._plans: list[tuple[float, int, Callable[..., Any], tuple[Any, ...]]] = []
        self._count = 0

    def after(self, delay: float, act: Callable[..., Any], *args: Any) -> None:
        """Plan `act` for `delay` milliseconds from now."""
        self._count += 1
        heapq.heappush(self._plans, (self.now + delay, self._count, act, args))

    def run(self, until: int) -> None:
        """Let everything happen that is planned up to the moment `until`."""
        plans = self._plans
        while plans and plans[0][0] <= until:
            at, _, act, args = heapq.heappop(plans)
            self.now = int(at)
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise RestlessError(f"{act} with {args} at {self.now}")
            act(*args)
        self.now = until


class Process(asyncio.AbstractEventLoop):
    """An event loop in simulated time, that can be killed: then nothing of it ever runs again."""

    def __init__(self, clockwork: Clockwork) -> None:
        self._clockwork = clockwork
        self._ready: list[tuple[Callable[..., Any], tuple[Any, ...], Any]] = []
        self._draining = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self.dead = False

    def kill(self) -> None:
        """End at once. What its tasks do on being thrown away is done in a world without consequences."""
        self.dead = True
        self._ready.clear()
        _set_running(self)
        for task in self._tasks:
            task.get_coro().close()
        _set_running(None)

    def enter(self, act: Callable[..., Any], *args: Any) -> None:
        """Run `act` inside this loop, and all that becomes ready through it."""
        if self.dead:
            return
        self._ready.append((act, args, None))
        if not self._draining:
            self._drain()

    def _drain(self) -> None:
        self._draining = True
        _set_running(self)
        try:
            position = 0
            while position < len(self._ready):
                act, args, context = self._ready[position]
                position += 1
                if context is None:
                    act(*args)
                else:
                    context.run(act, *args)
        finally:
            self._ready.clear()
            _set_running(None)
            self._draining = False

    # What asyncio asks of a loop.

    def time(self) -> float:
        return self._clockwork.now / 1_000

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self._draining

    def is_closed(self) -> bool:
        return self.dead

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> "Timer":
        if self.dead:
            return NEVER
        self._ready.append((callback, args, context))
        if not self._draining:
            # Woken from outside, as by a finished future: run as soon as time goes on.
            self._clockwork.after(0, self._wake)
        return NEVER

    def _wake(self) -> None:
        if not self.dead and not self._draining:
            self._drain()

    def call_later(self, delay: float, callback: Any, *args: Any, **_: Any) -> "Timer":
        timer = Timer()
        self._clockwork.after(delay * 1_000, self._ring, timer, callback, args)
        return timer

    def call_at(self, when: float, callback: Any, *args: Any, **_: Any) -> "Timer":
        return self.call_later(when - self.time(), callback, *args)

    def _ring(self, timer: "Timer", callback: Any, args: tuple[Any, ...]) -> None:
        if not timer.cancelled:
            self.enter(callback, *args)

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(self, coroutine: Any, **_: Any) -> Any:
        if self.dead:
            coroutine.close()
            return self.create_future()
        task = asyncio.Task(coroutine, loop=self)
        # A killed process leaves its tasks where they are.
        task._log_destroy_pending = False
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self.dead:
            raise context.get("exception") or RuntimeError(context["message"])


class Timer:
    """What `call_later` gives; may be cancelled."""

    __slots__ = ("cancelled",)

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


NEVER = Timer()
