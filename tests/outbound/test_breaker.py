"""Leaving alone what does not answer. Pure."""

from balie.outbound.breaker import KEPT, REST_MS, TRIES, Breaker


def broken(times=TRIES):
    breaker = Breaker()
    for _ in range(times):
        breaker.failed("a", 100)
    return breaker


def test_it_opens_after_so_many_failures_in_a_row():
    assert broken(TRIES - 1).rest_of("a", 100) == 0
    assert broken().rest_of("a", 100) == REST_MS
    assert broken().rest_of("b", 100) == 0


def test_after_its_rest_one_tries_and_the_others_wait_for_him():
    breaker, later = broken(), 100 + REST_MS
    assert breaker.rest_of("a", later) == 0
    assert breaker.rest_of("a", later) == REST_MS
    breaker.failed("a", later)
    assert breaker.rest_of("a", later + 1) == REST_MS - 1
    breaker.answered("a")
    assert breaker.rest_of("a", later) == 0


def test_one_answer_forgives_all():
    breaker = broken(TRIES - 1)
    breaker.answered("a")
    breaker.failed("a", 100)
    assert breaker.rest_of("a", 100) == 0


def test_it_remembers_so_many():
    breaker = broken()
    for number in range(KEPT):
        breaker.failed(f"k{number}", 100)
    assert breaker.rest_of("a", 100) == 0
