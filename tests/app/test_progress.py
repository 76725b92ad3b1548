"""A bar says how far it is, and only to somebody who looks."""

import io

from balie.app.progress import WIDTH, ProgressBar, bar


def test_a_bar_fills():
    assert bar("Erasing", 0, 10).count("█") == 0
    assert bar("Erasing", 5, 10).count("█") == WIDTH // 2
    assert bar("Erasing", 1_000, 1_000).count("█") == WIDTH
    assert bar("Erasing", 1_000, 2_000).endswith("1,000 / 2,000")
    assert bar("Erasing", 0, 0).count("█") == WIDTH


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_it_is_drawn_on_a_terminal_and_wiped(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with ProgressBar("Erasing") as shown:
        shown(1, 2)
        shown(2, 2)
    assert "1 / 2" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\033[K")


def test_it_is_silent_elsewhere(monkeypatch):
    for terminal, quiet in ((io.StringIO(), False), (Terminal(), True)):
        monkeypatch.setattr("sys.stderr", terminal)
        with ProgressBar("Erasing", quiet=quiet) as shown:
            shown(1, 2)
        assert terminal.getvalue() == ""
