"""Argon2id by RFC 9106, two at a time, and as slow for nobody as for somebody."""

import asyncio
import threading
import time

import pytest
from argon2 import PasswordHasher, extract_parameters

from balie.agents.passwords import WAITING_LIMIT, Passwords
from balie.kernel.errors import BusyError


async def test_the_profile_is_that_of_the_rfc():
    passwords = Passwords(lambda count: b"x" * count)
    made = await passwords.hash("correct horse")
    parameters = extract_parameters(made)
    assert made.startswith("$argon2id$")
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (65_536, 3, 4)
    assert await passwords.verify(made, "correct horse")
    assert not await passwords.verify(made, "correct horse ")
    assert not passwords.is_outdated(made)


async def test_nobody_takes_as_long_as_somebody():
    passwords = Passwords(lambda count: b"x" * count)
    made = await passwords.hash("correct horse")
    await passwords.verify(None, "warm up")

    async def seconds(stored):
        began = time.perf_counter()
        assert not await passwords.verify(stored, "wrong password")
        return time.perf_counter() - began

    of_somebody = sorted([await seconds(made) for _ in range(5)])[2]
    of_nobody = sorted([await seconds(None) for _ in range(5)])[2]
    assert 0.4 < of_nobody / of_somebody < 2.5


@pytest.mark.parametrize("stored", ["", "rubbish", "$argon2id$v=19$m=8,t=1,p=1$x$y"])
async def test_a_broken_hash_fits_nothing(stored):
    passwords = Passwords(lambda count: b"x" * count)
    assert not await passwords.verify(stored, "correct horse")


class Slow(PasswordHasher):
    """Counts how many work at once."""

    def __init__(self):
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.working = self.most = 0
        self.lock = threading.Lock()
        self.gate = threading.Event()

    def hash(self, password, *, salt=None):
        with self.lock:
            self.working += 1
            self.most = max(self.most, self.working)
        self.gate.wait(5)
        with self.lock:
            self.working -= 1
        return super().hash(password, salt=salt)


async def test_two_at_a_time_and_a_flood_is_told_to_wait():
    slow = Slow()
    passwords = Passwords(lambda count: b"x" * count, slow)
    work = [asyncio.ensure_future(passwords.hash("x")) for _ in range(WAITING_LIMIT)]
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await passwords.hash("one too many")
    slow.gate.set()
    await asyncio.gather(*work)
    assert slow.most == 2
    await passwords.hash("again")
