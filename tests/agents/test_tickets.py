"""A ticket opens one socket, soon, for the session that asked for it."""

import random

from balie.agents.tickets import CAPACITY, LIFE_MS, Tickets


def tickets():
    return Tickets(random.Random(1).randbytes)


def test_once():
    box = tickets()
    ticket = box.issue("session", 0)
    assert box.redeem(ticket, 1) == "session"
    assert box.redeem(ticket, 1) is None


def test_within_thirty_seconds():
    box = tickets()
    early, late = box.issue("s", 0), box.issue("s", 0)
    assert box.redeem(early, LIFE_MS - 1) == "s"
    assert box.redeem(late, LIFE_MS) is None


def test_not_after_the_session_ended():
    box = tickets()
    mine, other = box.issue("mine", 0), box.issue("other", 0)
    box.forget(["mine"])
    assert box.redeem(mine, 0) is None
    assert box.redeem(other, 0) == "other"


def test_unknown_and_unused_tickets_cost_nothing_for_long():
    box = tickets()
    assert box.redeem("made up", 0) is None
    for _ in range(CAPACITY + 10):
        box.issue("s", 0)
    assert len(box._out) == CAPACITY
    box.issue("s", LIFE_MS)
    assert len(box._out) == 1
