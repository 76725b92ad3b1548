"""An accent is readable whatever colour was asked for; what is said about a site is exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balie.kernel.errors import ConflictError, EmptyError, MalformedError, TooLongError
from balie.organisations import rules
from balie.organisations.colour import contrast, parse_hex, with_lightness
from balie.organisations.model import Look, SiteKey, Texts

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)
    assert contrast("#0000ff", "#ffffff") == pytest.approx(8.592, abs=0.001)
    assert contrast("#123456", "#123456") == 1


@given(COLOURS)
def test_every_accent_is_readable_in_both_themes(colour):
    accent = rules.derive_accent(colour)
    assert contrast(accent.light, accent.light_ink) >= 4.5
    assert contrast(accent.dark, accent.dark_ink) >= 4.5
    assert contrast(accent.light, rules.LIGHT_SURFACE) >= 4.5
    assert contrast(accent.dark, rules.DARK_SURFACE) >= 4.5
    assert accent.corrected == (accent.light != colour)


@given(COLOURS)
def test_what_was_corrected_needs_no_correction(colour):
    light = rules.derive_accent(colour).light
    assert rules.derive_accent(light).light == light
    assert not rules.derive_accent(light).corrected


def test_a_readable_colour_stays_and_another_moves_no_further_than_it_must():
    assert rules.derive_accent("#2b4c9b").light == "#2b4c9b"
    yellow = rules.derive_accent("#ffdd00")
    assert yellow.corrected
    assert contrast(yellow.light, rules.LIGHT_SURFACE) < 4.7
    assert yellow.dark == "#ffdd00"


@given(COLOURS, st.floats(0, 1))
def test_lightness_moves_within_srgb(colour, lightness):
    assert parse_hex(with_lightness(colour, lightness))


@pytest.mark.parametrize(
    "text", ["", "red", "#12", "#12345", "#1234567", "2b4c9b", "#xyzxyz", "#１２３"]
)
def test_what_is_no_colour_is_refused(text):
    with pytest.raises(MalformedError):
        rules.derive_accent(text)


def test_a_short_colour_is_a_colour():
    assert rules.checked_colour("#FA0") == "#ffaa00"


def test_origins_are_exact_each_once_and_few():
    assert rules.checked_origins(["https://A.nl", "https://a.nl/", "http://a.nl"]) == (
        "https://a.nl",
        "http://a.nl",
    )
    with pytest.raises(MalformedError, match="/shop"):
        rules.checked_origins(["https://a.nl/shop"])
    with pytest.raises(TooLongError):
        rules.checked_origins(f"https://a{number}.nl" for number in range(21))


def test_a_site_speaks_at_least_one_language():
    assert rules.checked_languages(["en", "nl", "en"]) == ("en", "nl")
    with pytest.raises(MalformedError):
        rules.checked_languages([])


@pytest.mark.parametrize("offset", [-1, 121])
def test_a_launcher_stays_on_the_page(offset):
    with pytest.raises(MalformedError):
        rules.checked_look(Look(offset=offset))


def test_texts_are_clean_and_may_be_empty():
    texts = rules.checked_texts({"nl": Texts(" Hallo \n daar ", "", "\u202eChat")})
    assert texts == {"nl": Texts("Hallo daar", "", "Chat")}
    with pytest.raises(TooLongError, match=r"texts\.en\.label"):
        rules.checked_texts({"en": Texts(label="x" * 41)})


@pytest.mark.parametrize("days", [0, -1, 3_651])
def test_retention_has_bounds(days):
    assert rules.checked_retention(365) == 365
    with pytest.raises(MalformedError):
        rules.checked_retention(days)


def test_a_name_is_something():
    with pytest.raises(EmptyError):
        rules.checked_name("\u200b")


def test_two_keys_live_at_a_time():
    key = SiteKey("k", "s", "HS256", "m", 0)
    rules.refuse_third_key([key])
    with pytest.raises(ConflictError):
        rules.refuse_third_key([key, key])
