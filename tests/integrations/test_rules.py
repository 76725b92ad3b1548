"""Signatures, and what answers mean. Pure."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balie.integrations import rules
from balie.integrations.model import OFFERED, TYPES, Endpoint
from balie.kernel.errors import EmptyError, MalformedError
from balie.kernel.events import EventTracked, PageViewed, VisitorDescribed

DAY = 86_400_000
ENDPOINT = Endpoint(
    id="e",
    organisation_id="o",
    url="https://x.example/",
    types=("message.posted",),
    since=0,
    secret=rules.new_secret(b"a" * 32),
    created_at=0,
)


def but(**fields):
    from msgspec.structs import replace  # noqa: PLC0415

    return replace(ENDPOINT, **fields)


def test_the_example_of_the_specification():
    """Standard Webhooks 1.0, and every library of it, sign this so."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    told = rules.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", body, [secret], 1_614_265_330_000)
    assert told["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert told["webhook-timestamp"] == "1614265330"
    assert told["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"


@given(st.binary(max_size=200), st.binary(min_size=32, max_size=32), st.integers(0, 2**42))
def test_every_secret_signs(body, chance, now):
    secrets = [rules.new_secret(chance), rules.new_secret(bytes(32))]
    told = rules.headers("id", body, secrets, now)
    parts = told["webhook-signature"].split(" ")
    for secret, part in zip(secrets, parts, strict=True):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = b"id." + told["webhook-timestamp"].encode() + b"." + body
        wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert part == f"v1,{wanted}"


def test_the_former_secret_signs_for_a_day():
    endpoint = but(former_secret="whsec_b2xk", former_until=DAY)
    assert rules.secrets_of(endpoint, DAY - 1) == (endpoint.secret, "whsec_b2xk")
    assert rules.secrets_of(endpoint, DAY) == (endpoint.secret,)


def test_the_body():
    told = json.loads(rules.body("message.posted", 1_700_000_000_123, {"a": 1}))
    assert told == {
        "type": "message.posted",
        "timestamp": "2023-11-14T22:13:20.123Z",
        "data": {"a": 1},
    }


def test_types():
    assert rules.checked_types(["message.posted", "conversation.started"] * 2) == (
        "conversation.started",
        "message.posted",
    )
    with pytest.raises(EmptyError):
        rules.checked_types([])
    for unknown in ("webhook.test", "page.viewed", ""):
        with pytest.raises(MalformedError):
            rules.checked_types(["message.posted", unknown])
    assert not {PageViewed, VisitorDescribed, EventTracked} & set(OFFERED)
    assert len(TYPES) == len(OFFERED)


@pytest.mark.parametrize(
    ("header", "rest"),
    [
        (None, None),
        ("0", 0),
        ("120", 120_000),
        (" 5 ", 5_000),
        ("9" * 400, 999_999_999_000),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60_000),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0),
        ("-5", None),
        ("soon", None),
        ("٣", None),
        ("", None),
    ],
)
def test_how_long_it_wants_to_be_left_alone(header, rest):
    assert rules.rest_of(header, 1_700_000_000_000) == rest


@given(st.text())
def test_a_header_is_anything(header):
    found = rules.rest_of(header, 1)
    assert found is None or found >= 0


def test_when_it_is_switched_off():
    assert rules.disabled_by(ENDPOINT, 410, 5) == "gone"
    assert rules.disabled_by(ENDPOINT, 500, 10 * DAY) == ""
    assert rules.disabled_by(but(failing_since=DAY), 500, 6 * DAY - 1) == ""
    assert rules.disabled_by(but(failing_since=DAY), None, 6 * DAY) == "failing"


def test_only_2xx_is_success():
    assert [status for status in range(100, 600) if rules.is_success(status)] == list(
        range(200, 300)
    )
