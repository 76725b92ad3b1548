"""Spreads count every value once, and cumulate as Prometheus wants it."""

from hypothesis import given
from hypothesis import strategies as st

from balie.kernel.tally import Spread

VALUES = st.lists(st.floats(0, 20, allow_nan=False))


@given(VALUES)
def test_each_bound_tells_how_many_were_not_above_it(values):
    spread = Spread()
    for value in values:
        spread.add(value)
    told = dict(spread.cumulated())
    assert told.pop("+Inf") == len(values)
    assert told == {str(bound): sum(value <= bound for value in values) for bound in spread.bounds}
    assert spread.total == sum(values)
