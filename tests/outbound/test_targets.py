"""What may be typed. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balie.outbound.targets import parse_target

GOOD = {
    "https://example.com": "https://example.com/",
    "HTTPS://Example.COM:443/A?b=c": "https://example.com/A?b=c",
    "https://example.com./hook": "https://example.com/hook",
    "https://example.com:8443/hook?x=1": "https://example.com:8443/hook?x=1",
    "https://example.com?x": "https://example.com/?x",
    "https://93.184.216.34/hook": "https://93.184.216.34/hook",
    "https://[2606:2800:220:1:248:1893:25C8:1946]:8443/": "https://[2606:2800:220:1:248:1893:25c8:1946]:8443/",
    "https://müller.example/": "https://xn--mller-kva.example/",
    "https://my_host.internal/": "https://my_host.internal/",
    "http://10.0.0.1/": "http://10.0.0.1/",
}
BAD = [
    "", "example.com", "//example.com/", "ftp://example.com/", "https:/example.com", "https:///x",
    "https://a@example.com/", "https://a:b@example.com/", "https://example.com/#x", "https://exa mple.com/",
    "https://example.com\\@evil.example/", "https://example.com/\n", "https://example.com/\x00",
    "https://127.1/", "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://2130706433/", "https://1.2.3.4.5/",
    "https://127.0.0.1.:443/", "https://evil.0x7f/", "https://%31%32%37.0.0.1/", "https://[::1%25eth0]/",
    "https://[1::2::3]/", "https://::1/", "https://example.com:22/", "https://example.com:0/",
    "https://example.com:70000/", "https://example.com:/", "https://-x.example/", "https://a..b/",
    "https://" + "a" * 64 + ".example/", "https://example.com/" + "x" * 2_100, "https://example.com/ü",
    "https://example.com:80/", "http://example.com:443/", "https://１２７.0.0.1:22/",
]  # fmt: skip


@pytest.mark.parametrize(("typed", "url"), GOOD.items())
def test_one_spelling(typed, url):
    target = parse_target(typed)
    assert target.url == url
    assert parse_target(url) == target


@pytest.mark.parametrize("typed", BAD)
def test_refused_in_words(typed):
    with pytest.raises(ValueError, match=r"\w"):
        parse_target(typed)


@given(st.text(max_size=60))
def test_nothing_else_is_raised(text):
    for typed in (text, f"https://{text}", f"https://{text}/", f"https://x.example/{text}"):
        try:
            target = parse_target(typed)
        except ValueError:
            continue
        assert parse_target(target.url) == target
        assert target.url.isascii()
