"""The command line answers who it is and how to use it."""

from importlib.metadata import version

import pytest

from balie.cli import main


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
