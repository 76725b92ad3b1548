"""`balie verify` finds what is not whole, says it in plain words, and leaves the store as it is."""

import pytest
from sqlalchemy import text
from tests.app.operations.conftest import Home

from balie.app.operations.hashing import RowSum, digest_of, encoded

NIL = "00000000-0000-7000-8000-000000000000"


def kinds(told):
    return set(told["counts"])


def test_what_people_left_is_sound_and_told_in_numbers(home):
    told = home.verify()
    assert told["findings"] == []
    assert told["tables"]["organisations"]["rows"] == 2
    assert [each["conversations"] for each in told["organisations"]] == [1, 1]
    assert sum(each["events"] for each in told["organisations"]) == told["tables"]["events"]["rows"]
    assert told["file_bytes"] == sum(path.stat().st_size for path in home.blobs())
    assert home.verify()["hash"] == told["hash"]


def test_people_read_it_too(home):
    ran = home.balie("verify")
    assert ran.code == 0
    assert ran.out.endswith("Sound.\n")


DAMAGES = {
    "hole": "DELETE FROM events WHERE conversation_id = :id AND seq = 3",
    "row": "UPDATE conversations SET last_seq = last_seq + 1 WHERE id = :id",
    "owner": "UPDATE events SET organisation_id = :nil WHERE conversation_id = :id AND seq = 2",
    "unreadable": "UPDATE events SET payload = '{' WHERE conversation_id = :id AND seq = 2",
    "orphan": "DELETE FROM conversations WHERE id = :id",
    "empty": "DELETE FROM events WHERE conversation_id = :id",
    "reference": "DELETE FROM visitors",
    "file": "DELETE FROM files",
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_each_damage_is_found(home, kind):
    home.run(DAMAGES[kind].replace(":nil", f"'{NIL}'"), **damaged(home, DAMAGES[kind]))
    told = home.verify()
    assert kind in kinds(told)
    assert all(each["do"] for each in told["findings"])
    assert kind in home.balie("verify").out


def damaged(home, statement):
    return {"id": home.noord} if ":id" in statement else {}


def test_a_row_that_says_something_else_than_its_log_is_named(home):
    home.run("UPDATE conversations SET status = 'closed' WHERE id = :id", id=home.zuid)
    [finding] = home.verify()["findings"]
    assert (finding["kind"], home.zuid in finding["where"]) == ("row", True)
    assert "status" in finding["what"]


def test_a_message_that_was_stored_twice_is_found(file_home):
    file_home.run(
        "DROP INDEX uq_events_client_message",
        "UPDATE events SET client_message_id = (SELECT max(client_message_id) FROM events"
        " WHERE conversation_id = :id) WHERE conversation_id = :id AND seq = 2",
        id=file_home.noord,
    )
    assert "twice" in kinds(file_home.verify())


@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        (lambda path: path.unlink(), "missing file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "damaged file"),
        (lambda path: path.write_bytes(b"\0" + path.read_bytes()[1:]), "damaged file"),
    ],
)
def test_files_that_are_gone_or_changed_are_found(file_home, harm, kind):
    harm(file_home.blobs()[0])
    assert kinds(file_home.verify()) == {kind}


def test_quick_looks_at_sizes_only(file_home):
    path = file_home.blobs()[0]
    path.write_bytes(b"\0" + path.read_bytes()[1:])
    assert file_home.verify("--quick")["sound"]


def test_bytes_that_no_row_names_are_found_when_they_are_old(file_home):
    stray = file_home.folder / "files" / "000" / NIL
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"x")
    assert kinds(file_home.verify()) == {"stray file"}


def test_a_word_that_was_changed_is_found_against_an_earlier_look(home, tmp_path):
    home.verify("--keep", tmp_path / "marks")
    assert home.verify("--against", tmp_path / "marks")["sound"]
    home.run(
        "UPDATE events SET payload = replace(payload, '2 canary', '2 canarz')"
        " WHERE conversation_id = :id",
        id=home.noord,
    )
    told = home.verify("--against", tmp_path / "marks")
    assert kinds(told) == {"changed"}
    assert home.noord in told["findings"][0]["where"]


def test_a_file_that_is_no_earlier_look_is_refused(file_home, tmp_path):
    (tmp_path / "marks").write_text("something else")
    for path in (tmp_path / "marks", tmp_path / "nothing"):
        ran = file_home.balie("verify", "--against", path)
        assert ran.code == 1
        assert str(path) in ran.err


def test_row_level_security_that_is_off_is_found(home):
    if not home.url:
        pytest.skip("of PostgreSQL")
    home.run("ALTER TABLE visitors DISABLE ROW LEVEL SECURITY")
    assert "unguarded" in kinds(home.verify())


def test_what_cannot_be_read_at_all_ends_with_2(file_home, tmp_path):
    assert Home(tmp_path / "nowhere").balie("verify").code == 2
    (file_home.folder / "balie.sqlite3").write_bytes(b"no database" * 1_000)
    ran = file_home.balie("verify")
    assert (ran.code, ran.out) == (2, "")


def test_a_store_of_another_version_is_not_guessed_at(file_home):
    file_home.run("UPDATE alembic_version SET version_num = '0002'")
    ran = file_home.balie("verify")
    assert ran.code == 2
    assert "balie migrate" in ran.err


def test_it_leaves_the_store_as_it_is(file_home):
    before = (file_home.folder / "balie.sqlite3").read_bytes()
    file_home.verify()
    assert (file_home.folder / "balie.sqlite3").read_bytes() == before


def test_a_hash_does_not_depend_on_order_but_on_every_value():
    rows = [(1, "a", None), (2, "b", b"x")]
    forth, back, other = RowSum(), RowSum(), RowSum()
    for row in rows:
        forth.add(digest_of(row))
    for row in reversed(rows):
        back.add(digest_of(row))
    for row in [(1, "a", None), (2, "b", b"y")]:
        other.add(digest_of(row))
    assert forth.hex == back.hex != other.hex
    assert encoded(("ab", "c")) != encoded(("a", "bc"))
    assert encoded((True,)) == encoded((1,)) != encoded(("1",))
    assert encoded(("a\0",)) == encoded(("a\ufffd",))


def test_a_server_goes_on_while_it_is_looked_at(file_home):
    with file_home.writing() as connection:
        connection.execute(text("UPDATE agents SET name = 'Bo'"))
        assert file_home.verify()["sound"]
