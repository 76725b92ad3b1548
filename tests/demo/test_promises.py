"""Opening hours, days of delivery and advice on sizes."""

from datetime import date, datetime

import pytest

from balie.demo.catalogue import catalogue
from balie.demo.drawing import Frame, Point, arc, skeleton
from balie.demo.promises import (
    delivery_day,
    delivery_sentence,
    opening_sentence,
    read_height,
    size_advice,
)
from balie.demo.shop import SHOP_TIME

SHOP = catalogue().products


def at(year: int, month: int, day: int, hour: int, minute: int) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=SHOP_TIME)


@pytest.mark.parametrize(
    ("now", "nl", "en"),
    [
        (at(2025, 6, 12, 19, 59), "Nu open, tot 20.00 uur.", "Open now, until 20:00."),
        (
            at(2025, 6, 12, 20, 0),
            "Nu gesloten, morgen open vanaf 9.30 uur.",
            "Closed now, open tomorrow from 9:30.",
        ),
        (
            at(2025, 6, 12, 9, 29),
            "Nu gesloten, vandaag open vanaf 9.30 uur.",
            "Closed now, open today from 9:30.",
        ),
        (
            at(2025, 6, 14, 17, 0),
            "Nu gesloten, dinsdag open vanaf 9.30 uur.",
            "Closed now, open on Tuesday from 9:30.",
        ),
    ],
)
def test_opening_sentence(now: datetime, nl: str, en: str) -> None:
    assert opening_sentence(now, "nl") == nl
    assert opening_sentence(now, "en") == en


@pytest.mark.parametrize(
    ("now", "ready_in", "day"),
    [
        (at(2025, 6, 10, 15, 59), 0, date(2025, 6, 11)),
        (at(2025, 6, 10, 16, 0), 0, date(2025, 6, 12)),
        (at(2025, 6, 14, 10, 0), 0, date(2025, 6, 17)),
        (at(2025, 6, 15, 10, 0), 1, date(2025, 6, 19)),
        (at(2025, 12, 31, 10, 0), 1, date(2026, 1, 2)),
    ],
)
def test_delivery_counts_working_days(now: datetime, ready_in: int, day: date) -> None:
    assert delivery_day(now, ready_in) == day


def test_delivery_is_said_as_a_plain_sentence() -> None:
    now = at(2025, 6, 10, 10, 0)
    assert delivery_sentence(now, SHOP["luwte"], "nl") == (
        "Voor 16.00 uur besteld, donderdag 12 juni rijklaar bij u thuis."
    )
    assert delivery_sentence(now.replace(hour=17), SHOP["bel"], "en") == (
        "Order now and it is at your door on Thursday 12 June."
    )


@pytest.mark.parametrize(
    ("typed", "height"),
    [
        ("178", 178),
        (" 1,78 m", 178),
        ("1.78", 178),
        ("178 cm", 178),
        ("95", 95),
        ("94", None),
        ("216", None),
        ("", None),
        ("nan", None),
        ("1e9", None),
        ("-178", None),
        ("١٧٨", None),
        ("17_8", None),
    ],
)
def test_height_is_read_as_people_write_it(typed: str, height: int | None) -> None:
    assert read_height(typed) == height


def test_size_advice() -> None:
    bries, bicycles = SHOP["bries"], catalogue().of("bicycles")
    assert size_advice(178, bries, bicycles, "nl") == "Met 1,78 m past maat 57."
    assert size_advice(173, bries, bicycles, "en") == (
        "At 1.73 m you can choose: 53 rides livelier, 57 calmer."
    )
    assert "Tochtje wel" in size_advice(120, bries, bicycles, "nl")
    assert "ask us" in size_advice(215, bries, bicycles, "en")


def test_drawings_stand_on_the_ground_and_inside_their_frame() -> None:
    for product in catalogue().of("bicycles"):
        assert product.build
        frame, points = product.build.frame, product.build.skeleton
        assert points.rear.y + frame.wheel == points.front.y + frame.front_wheel
        assert points.rear.x - frame.wheel - frame.tyre > 0
        assert points.front.x + frame.front_wheel + frame.tyre < 640
        assert points.saddle.x < points.bracket.x < points.head.x


def test_geometry() -> None:
    assert Point(0, 0).along(90, 10) == Point(0, -10)
    assert arc(Point(0, 0), 10, 0, 270).split("A")[1].startswith("10 10 0 1 0")
    assert skeleton(Frame(shape="diamond")).rear == Point(164, 286.5)
