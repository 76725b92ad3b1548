"""Whoever types a wrong address of a database is told what is wrong with it, and no password."""

import pytest
from tests import places

from balie.cli import main

PLACES = {
    "postgresql://balie_owner:geheim@127.0.0.1:{port}/no_such": 'database "no_such" does not exist',
    "postgresql://no_such:geheim@127.0.0.1:{port}/x": 'role "no_such" does not exist',
    "postgresql://a:geheim@127.0.0.1:1/x": "Connection refused",
    "mysql://a:geheim@127.0.0.1/x": "it begins with postgresql://",
    "postgresql://a:geheim@host:port/x": "postgresql://user:password@host/database",
}


@pytest.mark.parametrize(("url", "told"), PLACES.items())
def test_a_wrong_address_is_told_in_one_line(url, told, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BALIE_DATABASE_URL", url.format(port=places.cluster().port))
    assert main(["password", "a@b.nl", "--data-dir", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert "geheim" not in said


def test_a_database_without_a_store_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BALIE_DATABASE_URL", places.cluster().database(empty=True))
    assert main(["password", "a@b.nl", "--data-dir", str(tmp_path)]) == 2
    assert "there is no store in this database" in capsys.readouterr().err
