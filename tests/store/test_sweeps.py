"""How much is deleted at once follows from how long it takes."""

from balie.kernel.erasure import Gone
from balie.store import sweeps
from balie.store.scope import EVERYWHERE
from balie.store.sweeps import Due, Sweep, run_sweep


def test_a_batch_is_bounded_by_rows_and_holds_at_least_one():
    found = [("a", 90), ("b", 10), ("c", 1), ("d", 500)]
    assert sweeps._split(found, 100) == (["a", "b"], [("c", 1), ("d", 500)])
    assert sweeps._split(found[3:], 100) == (["d"], [])


def test_a_slow_batch_makes_the_next_smaller_and_a_quick_one_larger():
    assert sweeps._next_size(1_000, 400) == 75
    assert sweeps._next_size(500, 5) == 1_000
    assert sweeps._next_size(700, 20) == 700
    assert sweeps._next_size(sweeps.MOST_ROWS, 1) == sweeps.MOST_ROWS
    assert sweeps._next_size(30, 10_000) == 20


class Shelf:
    """A store of words, that does what it is asked at once."""

    def __init__(self, words, stubborn=()):
        self.words, self.stubborn, self.batches = list(words), set(stubborn), []

    async def read(self, query, *, of):
        assert of == EVERYWHERE
        return query(self)

    async def rewrite(self, command, *, of):
        assert of == EVERYWHERE
        return command(self)[1]

    async def settle(self):
        self.settled = len(self.batches)

    def sweep(self):
        return Sweep(name="words", find=self._find, delete=self._delete, count=lambda *_: {})

    def _find(self, _connection, _due, limit):
        return [(word, 30) for word in self.words[:limit]]

    def _delete(self, _connection, _due, ids):
        gone = [word for word in ids if word not in self.stubborn]
        self.words = [word for word in self.words if word not in gone]
        self.batches.append(len(ids))
        return Gone({"words": len(gone)}, tuple(gone))


async def test_all_that_is_due_goes_and_each_commit_is_told():
    shelf, told = Shelf(f"{n}" for n in range(2_500)), []

    async def tell(gone):
        told.extend(gone.conversation_ids)

    counts = await run_sweep(shelf, shelf.sweep(), Due(now=1), tell)
    assert counts == {"words": 2_500}
    assert shelf.words == []
    assert sorted(told) == sorted(f"{n}" for n in range(2_500))
    assert shelf.settled == len(shelf.batches)
    assert shelf.batches[0] == sweeps.FIRST_ROWS // 30


async def test_what_came_back_to_life_does_not_keep_it_going():
    shelf = Shelf(["a", "b"], stubborn=["a", "b"])

    async def tell(_gone):
        raise AssertionError("nothing went")

    assert await run_sweep(shelf, shelf.sweep(), Due(now=1), tell) == {}
    assert shelf.words == ["a", "b"]
