"""Nobody changes somebody above himself, somebody always owns the place, and passwords are long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balie.agents import rules
from balie.agents.model import DAY_MS, Agent, Session
from balie.agents.obvious import OBVIOUS
from balie.kernel.actor import AgentActor, SystemActor
from balie.kernel.errors import (
    BalieError,
    ConflictError,
    ForbiddenError,
    MalformedError,
    TooLongError,
)

ROLES = ("agent", "admin", "owner")


def agent(role="agent", name="Tom", **given):
    values = {"disabled": False, "active": True, "picture": None, "settings": "{}"} | given
    return Agent(
        id=name,
        organisation_id="o",
        name=name,
        email=f"{name}@x.example".lower(),
        role=role,
        language="nl",
        **values,
    )


def actor(role):
    return AgentActor(organisation_id="o", agent_id="me", name="Me", role=role)


@pytest.mark.parametrize("mine", ROLES)
@pytest.mark.parametrize("theirs", ROLES)
@pytest.mark.parametrize("wanted", ROLES)
def test_nobody_reaches_above_himself(mine, theirs, wanted):
    allowed = ROLES.index(mine) >= max(ROLES.index(theirs), ROLES.index(wanted))
    others = [agent("owner", "Another")]
    if allowed:
        rules.refuse_change(actor(mine), agent(theirs), others, role=wanted)
    else:
        with pytest.raises(ForbiddenError):
            rules.refuse_change(actor(mine), agent(theirs), others, role=wanted)


@pytest.mark.parametrize("change", [{"role": "admin"}, {"disabled": True}])
@pytest.mark.parametrize(
    "others",
    [
        [],
        [agent("admin", "A")],
        [agent("owner", "A", disabled=True)],
        [agent("owner", "A", active=False)],
    ],
)
@pytest.mark.parametrize("who", [actor("owner"), SystemActor(organisation_id="o")])
def test_somebody_always_owns_the_place(change, others, who):
    with pytest.raises(ConflictError):
        rules.refuse_change(who, agent("owner"), others, **change)
    rules.refuse_change(who, agent("owner"), [*others, agent("owner", "B")], **change)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "aaaaaaaaaaaaaaaa",
        "ababababababab",
        "1234567890",
        "abcdefghijkl",
        "tom@x.example",
    ],
)
def test_what_is_guessed_first_is_no_password(password):
    with pytest.raises(MalformedError):
        rules.checked_password(password, "tom@x.example", "Tom")


def test_length_is_enough():
    assert rules.checked_password("correct horse", "tom@x.example") == "correct horse"
    assert rules.checked_password("ｐａｓｓｗｏｒｄ－ｉｎ－ｗｉｄｅ") == "password-in-wide"
    with pytest.raises(TooLongError):
        rules.checked_password("x" * 257)


@given(st.text(max_size=300))
def test_what_was_chosen_is_what_is_typed(password):
    try:
        stored = rules.checked_password(password)
    except BalieError:
        return
    assert rules.normal_password(password) == stored


def test_a_session_ends_unused_or_old():
    session = Session(
        id="s",
        organisation_id="o",
        agent_id="a",
        created_at=0,
        last_seen_at=0,
        user_agent="",
        address="",
    )
    assert rules.session_lives(session, 30 * DAY_MS - 1)
    assert not rules.session_lives(session, 30 * DAY_MS)


def test_a_token_is_long_and_only_its_hash_is_kept():
    token = rules.token_of(bytes(range(32)))
    assert len(token) == 43
    assert token not in rules.token_hash(token)
    with pytest.raises(ValueError, match="32"):
        rules.token_of(b"short")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox, Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0",
            "Edge, Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
            "Safari, iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/156.0 Mobile Safari/537.36", "Chrome, Android"),
        ("curl/8", ""),
    ],
)
def test_a_browser_has_a_name(header, name):
    assert rules.device_name(header) == name


def test_a_header_is_cut_and_plain():
    assert rules.plain_user_agent("a\r\nb\x1b[31m" + "c" * 500) == "ab[31m" + "c" * 294


def test_settings_are_small():
    assert rules.checked_settings(b'{"a":1}') == '{"a":1}'
    with pytest.raises(TooLongError):
        rules.checked_settings(b"x" * 4_097)


@pytest.mark.parametrize(
    "password",
    [
        "wachtwoord123",
        "Welkom01234!",
        "w3lk0m-2024!",
        "P@ssw0rd1234",
        "qwerty123456",
        "1q2w3e4r5t6y",
        "0987654321",
        "welkomwelkom",
        "Amsterdam2026",
        "marit.hoekstra26",
        "Hoekstra-1988!",
    ],
)
def test_digits_and_other_shapes_hide_no_obvious_word(password):
    with pytest.raises(MalformedError, match="password"):
        rules.checked_password(password, "marit.hoekstra@winkel.example", "Marit Hoekstra")


@given(st.sampled_from(OBVIOUS), st.text(alphabet="0123456789!?.-_ ", min_size=6, max_size=20))
def test_digits_and_signs_make_no_obvious_word_better(word, tail):
    assert rules.is_obvious(word + tail)
    assert rules.is_obvious(tail + word.upper())


@pytest.mark.parametrize(
    "password", ["correct horse", "welkom in lindelaan", "rhyg-scw7-5kzx-sd4x"]
)
def test_words_of_ones_own_make_a_password(password):
    assert rules.checked_password(password, "tom@x.example", "Tom") == password
