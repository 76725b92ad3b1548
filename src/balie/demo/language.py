"""How the demo shop says amounts, lengths and days in Dutch and English."""

from datetime import date, time

LANGUAGES = ("nl", "en")

DAYS = {
    "nl": ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
MONTHS = {
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "en": "January February March April May June July August September October November December",
}


def language_of(path: str) -> str:
    return "en" if path == "/en" or path.startswith("/en/") else "nl"


def money(cents: int, language: str) -> str:
    """`114900` is "€ 1.149" in Dutch and "€1,149" in English; cents are shown only where there are any."""
    whole, rest = divmod(cents, 100)
    if language == "nl":
        return f"€\N{NO-BREAK SPACE}{whole:,}".replace(",", ".") + (f",{rest:02}" if rest else "")
    return f"€{whole:,}" + (f".{rest:02}" if rest else "")


def decimal(number: float, language: str, digits: int = 1) -> str:
    text = f"{number:.{digits}f}"
    return text.replace(".", ",") if language == "nl" else text


def metres(centimetres: int, language: str) -> str:
    return decimal(centimetres / 100, language, 2)


def clock(moment: time, language: str) -> str:
    if language == "nl":
        return f"{moment.hour}.{moment.minute:02}"
    return f"{moment.hour}:{moment.minute:02}"


def weekday(day: date, language: str) -> str:
    return DAYS[language][day.weekday()]


def long_date(day: date, language: str) -> str:
    """ "donderdag 12 juni" or "Thursday 12 June"."""
    return f"{weekday(day, language)} {short_date(day, language)}"


def short_date(day: date, language: str) -> str:
    return f"{day.day} {MONTHS[language].split()[day.month - 1]}"
