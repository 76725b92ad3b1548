"""Passwords: Argon2id by RFC 9106's low-memory profile (64 MiB, 3 passes, 4 lanes), off the event loop.

At most two are computed at a time, and few may wait: a flood of sign-ins costs a bounded part of the machine.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher, profiles
from argon2.exceptions import Argon2Error, InvalidHashError

from balie.agents.rules import normal_password
from balie.kernel.errors import BusyError
from balie.kernel.ports import Entropy

T = TypeVar("T")

AT_ONCE = 2
WAITING_LIMIT = 100


class Passwords:
    """Makes and checks hashes. For nobody's password it works just as long."""

    def __init__(self, entropy: Entropy, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)
        self._entropy = entropy
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """The hash of a password that the rules have checked. Raises BusyError."""
        return await self._in_turn(self._hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` fits; None for `stored` takes as long and never fits. Raises BusyError."""
        if stored is None and self._nobodys is None:
            self._nobodys = await self.hash(self._entropy(16).hex())
        fits = await self._in_turn(
            self._verify, stored or str(self._nobodys), normal_password(password)
        )
        return fits and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    async def _in_turn(self, work: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= WAITING_LIMIT:
            raise BusyError("too many people sign in at this moment")
        self._waiting += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work, *arguments)
        finally:
            self._waiting -= 1

    def _hash(self, password: str) -> str:
        return self._hasher.hash(normal_password(password))

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (Argon2Error, InvalidHashError):
            return False
