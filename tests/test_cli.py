"""The command line answers who it is and how to use it."""

from importlib.metadata import version

import pytest

from balie.app.commands import DemoReady, say_ready
from balie.app.founding import Login
from balie.cli import main, say_next


def test_version_prints_the_installed_version(capsys):
    with pytest.raises(SystemExit) as leaving:
        main(["--version"])
    assert leaving.value.code == 0
    assert capsys.readouterr().out == f"balie {version('balie')}\n"


def test_an_unknown_word_is_refused_with_the_usage(capsys):
    with pytest.raises(SystemExit) as leaving:
        main(["dance"])
    assert leaving.value.code == 2
    assert "usage: balie" in capsys.readouterr().err


def test_the_demo_says_of_each_agent_how_to_sign_in():
    agents = [Login("noor@tegenwind.example", "een-twee"), Login("sem@tegenwind.example", "drie")]
    ready = DemoReady("http://b", "http://s", "http://b/app", "key", agents)
    lines = [line.split() for line in say_ready(ready).splitlines()]
    assert ["noor@tegenwind.example", "een-twee"] in lines
    assert ["sem@tegenwind.example", "drie"] in lines


def test_init_says_what_comes_next(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("BALIE_ORIGIN", "https://chat.example.nl")
    wish = ["--organisation=Tegenwind", "--name=Noor", "--email=noor@tegenwind.example"]
    assert main(["init", *wish, f"--data-dir={tmp_path}"]) == 0
    told = capsys.readouterr().out
    key = next(line.split()[-1] for line in told.splitlines() if line.startswith("site key"))
    assert told.endswith(say_next("https://chat.example.nl", key) + "\n")
    assert "https://chat.example.nl/app" in told
