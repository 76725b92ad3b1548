"""An upgrade and a way back while people talk; the long form is `python -m tests.faults.upgrade`."""

import pytest
from tests.faults.upgrade import NoTagError, run


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_nothing_fails_and_nothing_is_doubled_when_versions_change():
    try:
        tally = await run(rounds=1, rate=50, seed=1)
    except NoTagError as error:
        pytest.skip(f"the version before is not in this repository: {error}")
    assert tally.findings == []
    assert tally.kills == 2
    assert tally.acked == tally.said > 50
