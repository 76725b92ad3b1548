"""The few words that pages say before an app speaks for itself."""

from typing import TypedDict

from balie.organisations.model import LANGUAGES, Language


class Texts(TypedDict):
    console: str
    console_about: str
    shop: str
    shop_about: str
    home: str
    home_lead: str
    missing: str
    missing_lead: str
    unbuilt: str
    unbuilt_lead: str
    noscript: str


TEXTS: dict[Language, Texts] = {
    "nl": {
        "console": "Werkplek",
        "console_about": "Aanmelden en gesprekken beantwoorden",
        "shop": "Voorbeeldwinkel",
        "shop_about": "Bekijk Balie zoals een bezoeker het ziet",
        "home": "Balie staat klaar",
        "home_lead": "De balie van je website.",
        "missing": "Deze pagina is er niet",
        "missing_lead": "Het adres klopt niet, of de chat is opgeheven.",
        "unbuilt": "De schermen zijn nog niet gebouwd",
        "unbuilt_lead": "Bouw ze met: make development",
        "noscript": "Balie heeft JavaScript nodig. Zet het aan en laad de pagina opnieuw.",
    },
    "en": {
        "console": "Console",
        "console_about": "Sign in and answer conversations",
        "shop": "Demo shop",
        "shop_about": "See Balie as a visitor sees it",
        "home": "Balie is ready",
        "home_lead": "The front desk of your website.",
        "missing": "This page does not exist",
        "missing_lead": "The address is wrong, or this chat is gone.",
        "unbuilt": "The screens are not built yet",
        "unbuilt_lead": "Build them with: make development",
        "noscript": "Balie needs JavaScript. Turn it on and load this page again.",
    },
}


def choose_language(wished: str, spoken: tuple[Language, ...] = LANGUAGES) -> Language:
    """The first of `wished` (as in Accept-Language, by weight) that is spoken, or the first spoken."""
    for tag in sorted(wished.split(","), key=_weight, reverse=True):
        name = tag.partition(";")[0].strip().lower().partition("-")[0]
        for language in spoken:
            if language == name:
                return language
    return spoken[0]


def _weight(tag: str) -> float:
    _, _, weight = tag.replace(" ", "").partition(";q=")
    try:
        return float(weight) if weight else 1.0
    except ValueError:
        return 0.0
