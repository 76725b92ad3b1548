"""Who listens hears everything once, and waits for nobody's transaction."""

import pytest
from tests.places import Place as Database
from tests.places import looking

from balie.store import notices
from balie.store.line import raw
from balie.store.live import Gap, Place, without
from balie.store.scope import EVERYWHERE

LATER = 60_000


@pytest.fixture
def shared(tmp_path):
    made = Database(tmp_path, "postgresql")
    yield made
    made.close()


def gap(first, last):
    return Gap(first, last, 0, 0)


def ends(gaps):
    return [(each.first, each.last) for each in gaps]


@pytest.mark.parametrize(
    ("found", "left"),
    [
        ([], [(1, 5), (8, 8)]),
        ([1, 5], [(2, 4), (8, 8)]),
        ([3], [(1, 2), (4, 5), (8, 8)]),
        ([8], [(1, 5)]),
        ([1, 2, 3, 4, 5, 8], []),
        ([7, 9], [(1, 5), (8, 8)]),
    ],
)
def test_what_has_appeared_is_no_gap(found, left):
    assert ends(without([gap(1, 5), gap(8, 8)], found)) == left


class Ear:
    """Listens to the notices of a database."""

    def __init__(self, driver):
        self.driver, self.now = driver, 0
        with looking(driver) as connection:
            self.place = notices.end_of_notices(connection, self.now)

    def heard(self):
        with looking(self.driver) as connection:
            told, self.place = notices.notices_after(connection, self.place, 100, self.now)
        return [each.kind for each in told]


def tell(connection, kind):
    notices.post(connection, "other", [(kind, "{}")], 0)


class Writer:
    """A worker whose transaction lasts."""

    def __init__(self, driver):
        self._line = driver.writes.connect()
        self.transaction = self._line.begin()
        driver.enter(raw(self._line), (EVERYWHERE,))

    def tell(self, kind):
        tell(self._line, kind)

    def end(self, *, good=True):
        self.transaction.commit() if good else self.transaction.rollback()
        self._line.close()


def test_nobodys_long_transaction_holds_up_what_others_tell(shared):
    ear, slow = Ear(shared.open()), Writer(shared.open())
    slow.tell("slow")
    for number in range(3):
        quick = Writer(shared.open())
        quick.tell(f"quick {number}")
        quick.end()
        ear.now += LATER
        assert ear.heard() == [f"quick {number}"]
    # However long it took, it is heard when it is there, and once.
    slow.end()
    assert ear.heard() == ["slow"]
    assert ear.heard() == []
    assert ear.place.gaps == ()


def test_what_was_rolled_back_is_forgotten_when_nobody_can_bring_it(shared):
    ear, gone, old = Ear(shared.open()), Writer(shared.open()), Writer(shared.open())
    gone.tell("gone")
    old.tell("old")
    quick = Writer(shared.open())
    quick.tell("quick")
    quick.end()
    gone.end(good=False)
    assert ear.heard() == ["quick"]
    ear.now += LATER
    assert ear.heard() == []
    assert len(ear.place.gaps) == 1
    old.end()
    assert ear.heard() == ["old"]
    assert ear.heard() == []
    assert ear.place.gaps == ()


def test_who_begins_to_listen_hears_those_who_are_writing(shared):
    slow = Writer(shared.open())
    slow.tell("slow")
    quick = Writer(shared.open())
    quick.tell("before")
    quick.end()
    ear = Ear(shared.open())
    slow.end()
    assert ear.heard() == ["slow"]


def test_positions_that_are_given_again_are_heard(shared):
    driver = shared.open()
    ear = Ear(driver)
    ear.place = Place(1_000)
    assert ear.heard() == []
    first = Writer(driver)
    first.tell("again")
    first.end()
    assert ear.heard() == ["again"]
