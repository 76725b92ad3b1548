"""Origins are compared whole, and unsafe requests come from Balie's own pages only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balie.edge.origins import parse_origin, refuse_foreign, same_origin
from balie.kernel.errors import ForbiddenError

OWN = frozenset({"https://balie.example"})


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://www.Example.NL", "https://www.example.nl"),
        ("https://www.example.nl/", "https://www.example.nl"),
        ("https://www.example.nl:443", "https://www.example.nl"),
        ("http://www.example.nl:80", "http://www.example.nl"),
        ("http://www.example.nl:443", "http://www.example.nl:443"),
        (" http://shop.localhost:8000 ", "http://shop.localhost:8000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://[2001:DB8::0:1]:8080", "http://[2001:db8::1]:8080"),
        ("http://127.0.0.1:5", "http://127.0.0.1:5"),
    ],
)
def test_an_origin_has_one_form(text, origin):
    assert parse_origin(text) == origin
    assert parse_origin(origin) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "*",
        "https://*",
        "https://*.example.nl",
        "example.nl",
        "//example.nl",
        "ftp://example.nl",
        "javascript:alert(1)",
        "https://example.nl/path",
        "https://example.nl?x",
        "https://example.nl#x",
        "https://user@example.nl",
        "https://example.nl:0",
        "https://example.nl:65536",
        "https://example.nl:x",
        "https://-example.nl",
        "https://exa mple.nl",
        "https://example..nl",
        "https://" + "a" * 64 + ".nl",
        "https://[::g]",
        "https://example.nl\n",
        "https://example.nl\x00",
        "https://" + "ü" * 300,
    ],
)
def test_what_is_no_exact_origin_is_refused(text):
    # A newline at the end is trimmed like a space; inside it is no origin.
    if text.endswith("\n"):
        assert parse_origin(text) == "https://example.nl"
        return
    with pytest.raises(ValueError, match=r"\w"):
        parse_origin(text)


@given(st.text(max_size=60))
def test_any_text_is_an_origin_or_a_value_error(text):
    try:
        origin = parse_origin(text)
    except ValueError:
        return
    assert parse_origin(origin) == origin


@pytest.mark.parametrize(
    "header",
    [
        "https://balie.example.evil",
        "https://evilbalie.example",
        "https://sub.balie.example",
        "http://balie.example",
        "https://balie.example:8443",
        "https://balie.example/",
        "null",
        "",
        None,
    ],
)
def test_a_lookalike_is_another_origin(header):
    assert not same_origin(header, OWN)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("origin", "site", "passes"),
    [
        ("https://balie.example", None, True),
        ("https://balie.example", "same-origin", True),
        ("https://balie.example", "same-site", False),
        ("https://balie.example", "cross-site", False),
        ("https://balie.example", "none", False),
        ("https://shop.example", "cross-site", False),
        ("https://shop.example", "same-origin", False),
        ("null", "cross-site", False),
        (None, "same-origin", False),
        (None, None, False),
    ],
)
def test_unsafe_requests_come_from_here(method, origin, site, passes):
    if passes:
        refuse_foreign(method, origin, site, OWN)
        return
    with pytest.raises(ForbiddenError):
        refuse_foreign(method, origin, site, OWN)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_safe_requests_come_from_anywhere(method):
    refuse_foreign(method, "https://evil.example", "cross-site", OWN)
