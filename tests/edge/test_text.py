"""A name is one clean line, an address is one thing."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balie.edge.text import clean_email, clean_line, clean_optional_line
from balie.kernel.errors import BalieError, EmptyError, MalformedError, TooLongError


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  Ana   de\tWit \n", "Ana de Wit"),
        ("Jan\u202eneerts", "Janneerts"),
        ("e\u0301", "é"),
        ("a\x00b\x1bc", "abc"),
        ("👩‍👩‍👧 thuis", "👩‍👩‍👧 thuis"),
        ("สวัสดี", "สวัสดี"),
    ],
)
def test_a_name_becomes_one_clean_line(text, line):
    assert clean_line(text, 80, "name") == line


@pytest.mark.parametrize(
    "text", ["", " ", "\u200b\u200b", "\u200d", "\u3164", "\u2800", "\u202e", "\x00", "\u180e"]
)
def test_what_nobody_can_see_is_empty(text):
    with pytest.raises(EmptyError):
        clean_line(text, 80, "name")
    assert clean_optional_line(text, 80, "name") == ""


def test_length_is_counted_in_characters():
    assert clean_line("é" * 80, 80, "name") == "é" * 80
    with pytest.raises(TooLongError):
        clean_line("é" * 81, 80, "name")


@given(st.text(max_size=100))
def test_cleaning_twice_changes_nothing(text):
    try:
        line = clean_line(text, 80, "name")
    except BalieError:
        return
    assert clean_line(line, 80, "name") == line
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in line)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" Ana@Example.NL ", "ana@example.nl"),
        ("ana@m\u00fcnchen.de", "ana@m\u00fcnchen.de"),
        ("ana@MU\u0308NCHEN.de", "ana@m\u00fcnchen.de"),
        ("ana@xn--mnchen-3ya.de", "ana@m\u00fcnchen.de"),
        ("ana@XN--Mnchen-3ya.de", "ana@m\u00fcnchen.de"),
        ("jos\u00e9@example.nl", "jos\u00e9@example.nl"),
    ],
)
def test_an_address_has_one_form(text, address):
    assert clean_email(text) == address
    assert clean_email(address) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ana",
        "@example.nl",
        "ana@",
        "a@b@c",
        "a na@example.nl",
        "ana@example..nl",
        "ana@.nl",
        "ana@example.nl\r\nBcc: all@example.nl",
        "<ana@example.nl>",
        "a" * 65 + "@example.nl",
        "a\u200bna@example.nl",
        "ana@example.nl\u200b",
        "ana\u00ad@example.nl",
        "\u3164@example.nl",
        "ana\ufe0f@example.nl",
        "ana@xn--zzzzzzz99999999.nl",
        "ana@" + "a" * 64 + ".nl",
        "a" * 64 + "@" + "a." * 120 + "nl",
        "ana@" + "a" * 254,
    ],
)
def test_what_cannot_be_an_address_is_refused(text):
    with pytest.raises(MalformedError):
        clean_email(text)
