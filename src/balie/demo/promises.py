"""What the demo shop promises: when it is open, when it delivers, which size fits.

All of it is computed from what is handed in; nothing here reads a clock.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from balie.demo.catalogue import Product, Size
from balie.demo.language import DAYS, clock, long_date, metres

OPENING_HOURS: dict[int, tuple[time, time]] = {
    1: (time(9, 30), time(18)),
    2: (time(9, 30), time(18)),
    3: (time(9, 30), time(20)),
    4: (time(9, 30), time(18)),
    5: (time(9, 30), time(17)),
}
"""By weekday, Monday is 0; a day that is absent is a day of rest."""

LAST_ORDER = time(16)
SHORTEST, TALLEST = 95, 215
TYPED_HEIGHT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,2})?) ?(?:m|cm)?")


def opening_sentence(now: datetime, language: str) -> str:
    dutch = language == "nl"
    hours = OPENING_HOURS.get(now.weekday())
    if hours and hours[0] <= now.time() < hours[1]:
        until = clock(hours[1], language)
        return f"Nu open, tot {until} uur." if dutch else f"Open now, until {until}."
    day = now.date() if hours and now.time() < hours[0] else next_workday(now.date())
    start = clock(OPENING_HOURS[day.weekday()][0], language)
    when = _near_day(day, now.date(), language)
    if dutch:
        return f"Nu gesloten, {when} open vanaf {start} uur."
    return f"Closed now, open {when} from {start}."


def _near_day(day: date, today: date, language: str) -> str:
    near = {0: ("vandaag", "today"), 1: ("morgen", "tomorrow")}.get((day - today).days)
    if near:
        return near[0] if language == "nl" else near[1]
    name = DAYS[language][day.weekday()]
    return name if language == "nl" else f"on {name}"


def opening_table(language: str) -> list[tuple[str, str]]:
    closed = "gesloten" if language == "nl" else "closed"
    rows = []
    for number, name in enumerate(DAYS[language]):
        hours = OPENING_HOURS.get(number)
        times = f"{clock(hours[0], language)} – {clock(hours[1], language)}" if hours else closed
        rows.append((name, times))
    return rows


def next_workday(day: date) -> date:
    day += timedelta(days=1)
    while day.weekday() not in OPENING_HOURS:
        day += timedelta(days=1)
    return day


def in_time_today(now: datetime) -> bool:
    return now.weekday() in OPENING_HOURS and now.time() < LAST_ORDER


def delivery_day(now: datetime, ready_in: int) -> date:
    """The day of delivery of what the workshop needs `ready_in` working days for."""
    day = now.date() if in_time_today(now) else next_workday(now.date())
    for _ in range(ready_in + 1):
        day = next_workday(day)
    return day


def delivery_sentence(now: datetime, product: Product, language: str) -> str:
    day = long_date(delivery_day(now, product.ready_in), language)
    if language == "nl":
        begin = "Voor 16.00 uur besteld" if in_time_today(now) else "Nu besteld"
        return f"{begin}, {day} {'rijklaar ' if product.build else ''}bij u thuis."
    begin = "Order before 16:00" if in_time_today(now) else "Order now"
    ready = ", ready to ride," if product.build else ""
    return f"{begin} and it is at your door{ready} on {day}."


def sizes_for(height: int, product: Product) -> list[Size]:
    return [size for size in product.sizes if size.shortest <= height <= size.tallest]


def read_height(typed: str) -> int | None:
    """Centimetres from "178", "1,78" or "1.78 m"; None where that is nobody's length."""
    found = TYPED_HEIGHT.fullmatch(typed.strip().lower().replace(",", "."))
    if not found:
        return None
    number = float(found[1])
    height = round(number * 100 if number < 3 else number)
    return height if SHORTEST <= height <= TALLEST else None


def size_advice(height: int, product: Product, others: Iterable[Product], language: str) -> str:
    fitting = sizes_for(height, product)
    length = metres(height, language)
    if not fitting:
        return _elsewhere(length, [other for other in others if sizes_for(height, other)], language)
    if fitting[0].label == "one":
        nl, en = f"Met {length} m past deze fiets u.", f"At {length} m this bicycle fits you."
    elif len(fitting) == 1:
        label = fitting[0].label
        nl, en = f"Met {length} m past maat {label}.", f"At {length} m, size {label} fits."
    else:
        small, large = fitting[0].label, fitting[-1].label
        nl = f"Met {length} m kunt u kiezen: {small} rijdt levendiger, {large} rustiger."
        en = f"At {length} m you can choose: {small} rides livelier, {large} calmer."
    return nl if language == "nl" else en


def _elsewhere(length: str, fitting: list[Product], language: str) -> str:
    names = [product.name[language] for product in fitting[:2]]
    if language == "nl":
        hint = f" De {' en de '.join(names)} wel." if names else " Vraag het ons gerust."
        return f"Voor {length} m bestaat deze fiets niet.{hint}"
    hint = f" The {' and the '.join(names)} do." if names else " Do ask us."
    return f"This bicycle does not come in a size for {length} m.{hint}"
