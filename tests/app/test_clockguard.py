"""A wrong clock deletes nothing."""

import json

import pytest
import structlog
from sqlalchemy import insert
from structlog.testing import capture_logs

from balie import cli
from balie.app import clockguard, commands, house, upkeep
from balie.app.clockguard import DAY_MS, DoubtedClockError, doubt
from balie.app.settings import Settings
from balie.conversations.model import Conversation, conversations
from balie.conversations.projection import to_row
from balie.store.schema import events
from balie.store.scope import EVERYWHERE

NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("days", "due", "going", "every", "believed"),
    [
        (0, 1_000, 1_000, 1_000, True),
        (1.9, 10, 10, 10, True),
        (3, 10, 2, 10, True),
        (3, 10, 3, 10, False),
        (29, 10, 2, 10, True),
        (31, 1, 0, 10, False),
        (400, 0, 0, 10, True),
        (-0.9, 0, 0, 10, True),
        (-1.1, 0, 0, 10, False),
        (-20_000, 0, 0, 0, False),
    ],
)
def test_a_clock_is_believed_as_long_as_it_goes_with_the_past(days, due, going, every, believed):
    now = NOW + int(days * DAY_MS)
    assert (doubt(now, NOW, due, going, every) is None) is believed


def test_an_empty_store_believes_any_clock():
    assert doubt(0, None, 9, 9, 9) is None


class Time:
    """The clock of the house, turned by hand."""

    def __init__(self, monkeypatch):
        self.now = NOW
        for module in (house, upkeep):
            monkeypatch.setattr(module, "clock", lambda: self.now)


@pytest.fixture
def time(monkeypatch):
    return Time(monkeypatch)


@pytest.fixture
async def shop(tmp_path, time):
    """A house in which somebody wrote yesterday."""
    opened = commands.open_house(Settings(data_dir=tmp_path))
    await opened.open()
    made = await opened.organisations.create_organisation("Winkel", "nl")
    said = Conversation(
        id="018bcfe5-6800-7000-8000-000000000001",
        organisation_id=made.id,
        site_id="site",
        visitor_id="v",
        started_at=NOW - DAY_MS,
        updated_at=NOW - DAY_MS,
        last_seq=1,
    )
    row = dict(zip([c.name for c in conversations.columns], to_row(said), strict=True))
    event = {
        "organisation_id": made.id,
        "conversation_id": said.id,
        "seq": 1,
        "at": said.updated_at,
        "author_id": "visitor:v",
        "author": '{"kind":"visitor"}',
        "payload": '{"type":"message.posted","text":"hallo"}',
    }
    await opened.store.write(
        lambda c: c.execute(insert(conversations), [row]).rowcount, of=EVERYWHERE
    )
    await opened.store.write(lambda c: c.execute(insert(events), [event]).rowcount, of=EVERYWHERE)
    yield opened
    await opened.close()


async def left(shop):
    return await clockguard.count_conversations(shop.store)


@pytest.mark.parametrize("swept_before", [False, True])
async def test_one_start_with_a_wrong_clock_deletes_nothing_and_says_so(
    shop, time, swept_before, monkeypatch
):
    monkeypatch.setattr(upkeep, "log", structlog.get_logger())
    if swept_before:
        await upkeep.sweep_all(shop)
    time.now += 400 * DAY_MS
    with capture_logs() as logs:
        await upkeep.Upkeep(shop)._sweep()
    assert await left(shop) == 1
    assert [(each["log_level"], "--trust-clock" in each["told"]) for each in logs] == [
        ("error", True)
    ]
    # What people say under that clock makes it no truer.
    time.now += DAY_MS
    with pytest.raises(DoubtedClockError):
        await upkeep.sweep_all(shop)
    time.now = NOW
    await upkeep.sweep_all(shop)
    assert await left(shop) == 1


async def test_who_says_that_the_clock_is_right_is_believed(shop, time):
    await upkeep.sweep_all(shop)
    time.now += 400 * DAY_MS
    await upkeep.sweep_all(shop, trust_clock=True)
    assert await left(shop) == 0
    assert await upkeep.doubted(shop) is None


async def test_day_by_day_everything_goes_in_its_time(shop, time):
    await upkeep.sweep_all(shop)
    for _ in range(366):
        time.now += DAY_MS
        await upkeep.sweep_all(shop)
    assert await left(shop) == 0


async def test_a_clock_that_went_back_stops_the_sweeps(shop, time):
    await upkeep.sweep_all(shop)
    time.now = 0
    with pytest.raises(DoubtedClockError, match="behind"):
        await upkeep.sweep_all(shop)


def test_the_command_line_refuses_until_it_is_told(tmp_path, monkeypatch, capsys):
    given = ["--json", f"--data-dir={tmp_path}"]
    owner = ["--organisation=Winkel", "--name=Noor", "--email=noor@winkel.example"]
    assert cli.main(["init", *owner, *given]) == 0
    clockguard.remember(tmp_path, NOW)
    monkeypatch.setattr(upkeep, "clock", lambda: NOW - 3 * DAY_MS)
    assert cli.main(["retention", *given]) == 1
    assert "3 days behind" in capsys.readouterr().err
    assert cli.main(["retention", "--dry-run", *given]) == 0
    assert "--trust-clock" in capsys.readouterr().err
    assert cli.main(["retention", "--trust-clock", *given]) == 0
    assert json.loads(capsys.readouterr().out)
    assert cli.main(["retention", *given]) == 0
