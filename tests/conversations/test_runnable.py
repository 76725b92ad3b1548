"""Which files would run when somebody opens them."""

import pytest
from tests.hostile_files import HTML, PDF, RUNNABLES, SVG, png

from balie.conversations.media import safe_name
from balie.conversations.runnable import ending_of, is_runnable


@pytest.mark.parametrize(("content", "name"), RUNNABLES)
def test_a_name_or_its_first_bytes_give_it_away(content, name):
    assert is_runnable(content, safe_name(name))


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (HTML, "page.html"),
        (SVG, "logo.svg"),
        (PDF, "bill.pdf"),
        (png(1, 1), "foto.png"),
        (b"PK\x03\x04" + bytes(100), "alles.zip"),
        (b"MZ-2000, a computer of 1982\n" * 9, "notes.txt"),
        (b"#1 in the list", "list.txt"),
        (b"", "exe"),
        (b"x", "a.exe.txt"),
        (b"x", "js.docx"),
    ],
)
def test_what_people_send_each_other_passes(content, name):
    assert not is_runnable(content, name)


@pytest.mark.parametrize(
    ("name", "ending"), [("a.b.EXE", "exe"), ("exe", ""), ("a.exe:x", "exe"), ("", ""), (".", "")]
)
def test_the_ending_is_what_windows_sees(name, ending):
    assert ending_of(name) == ending
