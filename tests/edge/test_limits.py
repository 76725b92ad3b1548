"""Buckets fill by the clock, keys are few, and nobody names an address for himself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balie.edge.limits import (
    Limiter,
    Rate,
    Seats,
    client_address,
    limit_key,
    parse_networks,
    shortened,
)
from balie.kernel.errors import RateLimitedError

RATE = Rate(burst=3, refill_ms=1_000)


def test_a_burst_then_one_per_second():
    limiter = Limiter(RATE)
    assert [limiter.take("ana", 0) for _ in range(3)] == [2, 1, 0]
    with pytest.raises(RateLimitedError) as refused:
        limiter.take("ana", 400)
    assert refused.value.retry_after_ms == 601
    assert limiter.take("ana", 1_001) == 0
    assert limiter.take("tom", 1_001) == 2


def test_a_clock_set_back_gives_nothing():
    limiter = Limiter(RATE)
    for _ in range(3):
        limiter.take("ana", 1_000_000)
    with pytest.raises(RateLimitedError):
        limiter.take("ana", 0)
    assert limiter.take("ana", 1_001) == 0


def test_a_try_given_back_counts_again():
    limiter = Limiter(RATE)
    limiter.take("ana", 0)
    limiter.give_back("ana", 0)
    assert limiter.left("ana", 0) == 3
    limiter.give_back("ana", 0)
    assert limiter.left("ana", 0) == 3


def test_made_up_keys_cost_bounded_memory():
    limiter = Limiter(RATE, capacity=100)
    for number in range(10_000):
        limiter.take(str(number), 0)
    assert len(limiter) == 100


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=60))
def test_never_more_than_the_rate(pauses):
    limiter, now, taken = Limiter(RATE), 0, 0
    for pause in pauses:
        now += pause
        try:
            limiter.take("ana", now)
            taken += 1
        except RateLimitedError:
            pass
    assert taken <= RATE.burst + now / RATE.refill_ms


PROXIES = parse_networks(["10.0.0.0/8", "2001:db8:ffff::/48"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7", "1.2.3.4", "198.51.100.7"),  # no proxy of ours vouches
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, 10.0.0.9", "198.51.100.7"),
        ("10.0.0.1", "rubbish", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7:1234", "198.51.100.7"),
        ("10.0.0.1", '"[2001:db8::1]:443"', "2001:db8::1"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", ",,", "10.0.0.1"),
        ("", "", ""),
    ],
)
def test_only_trusted_proxies_name_an_address(peer, forwarded, address):
    assert client_address(peer, forwarded, PROXIES) == address


@given(st.text(max_size=80))
def test_any_header_is_survived(text):
    limit_key(client_address("10.0.0.1", text, PROXIES))
    shortened(client_address(text, text, PROXIES))


def test_an_ipv6_customer_is_one_customer():
    assert limit_key("2001:db8:1:2:3::4") == limit_key("2001:db8:1:2:ffff::9")
    assert limit_key("2001:db8:1:2::1") != limit_key("2001:db8:1:3::1")
    assert limit_key("198.51.100.7") != limit_key("198.51.100.8")


def test_what_is_kept_of_an_address_is_cut():
    assert shortened("198.51.100.7") == "198.51.100.x"
    assert shortened("2001:db8:1:2:3::4") == "2001:db8:1::/48"
    assert shortened("somewhere") == ""


def test_a_seat_is_free_again_when_its_connection_ends():
    seats = Seats(2)
    seats.take("office")
    seats.take("office")
    with pytest.raises(RateLimitedError) as refused:
        seats.take("office")
    assert refused.value.retry_after_ms
    seats.take("home")
    seats.leave("office")
    seats.take("office")
    for key in ("office", "office", "home"):
        seats.leave(key)
    assert not seats._taken
