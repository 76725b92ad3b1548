"""Who is there: while heard of within 45 seconds, awake and available, in any of his sessions."""

from hypothesis import given
from hypothesis import strategies as st

from balie.agents.presence import EXPIRY_MS, Presence
from balie.kernel.events import AgentName

ANA, TOM = AgentName("ana", "Ana"), AgentName("tom", "Tom")


def states(changes):
    return [(change.agent.id, change.state) for change in changes]


def test_a_sign_of_life_and_its_end():
    presence = Presence()
    assert states(presence.seen("o", ANA, "tab", 0)) == [("ana", "available")]
    assert states(presence.seen("o", ANA, "tab", 15_000)) == []
    assert states(presence.left("tab", 16_000)) == [("ana", "offline")]
    assert states(presence.left("tab", 16_000)) == []


def test_silence_ends_after_45_seconds():
    presence = Presence()
    presence.seen("o", ANA, "tab", 0)
    assert presence.state("ana", EXPIRY_MS - 1) == "available"
    assert states(presence.expire(EXPIRY_MS - 1)) == []
    # A reader is told the truth before the sweep comes by, and the sweep still tells of the change.
    assert presence.state("ana", EXPIRY_MS) == "offline"
    assert presence.desk("o", EXPIRY_MS).state == "away"
    assert states(presence.expire(EXPIRY_MS)) == [("ana", "offline")]
    assert states(presence.expire(EXPIRY_MS)) == []
    assert states(presence.seen("o", ANA, "tab", EXPIRY_MS + 1)) == [("ana", "available")]


def test_the_best_session_counts():
    presence = Presence()
    presence.seen("o", ANA, "asleep", 0, awake=False)
    assert presence.state("ana", 0) == "away"
    assert states(presence.seen("o", ANA, "awake", 0)) == [("ana", "available")]
    assert states(presence.left("awake", 0)) == [("ana", "away")]
    assert states(presence.seen("o", ANA, "asleep", 0, status="away")) == []
    assert states(presence.left("asleep", 0)) == [("ana", "offline")]


def test_one_of_two_silent_tabs_changes_nothing():
    presence = Presence()
    presence.seen("o", ANA, "one", 0)
    presence.seen("o", ANA, "two", 30_000)
    assert states(presence.expire(EXPIRY_MS)) == []
    assert presence.state("ana", EXPIRY_MS) == "available"


def test_the_desk_shows_at_most_three_faces_in_a_steady_order():
    presence = Presence()
    for number in (5, 3, 1, 4, 2):
        presence.seen("o", AgentName(f"a{number}", f"Agent {number}"), f"tab{number}", 0)
    presence.seen("o", AgentName("a0", "Away"), "tab0", 0, status="away")
    desk = presence.desk("o", 0)
    assert desk.state == "here"
    assert [agent.id for agent in desk.agents] == ["a1", "a2", "a3"]


def test_organisations_do_not_see_each_other():
    presence = Presence()
    presence.seen("one", ANA, "tab", 0)
    presence.seen("two", TOM, "tab2", 0)
    assert presence.states("one", 0) == {"ana": "available"}
    assert [agent.id for agent in presence.desk("two", 0).agents] == ["tom"]
    assert presence.desk("three", 0).state == "away"


def test_a_new_name_shows_at_once():
    presence = Presence()
    presence.seen("o", ANA, "tab", 0)
    presence.renamed(AgentName("ana", "Ana de Wit", "/pictures/x.webp"))
    assert presence.desk("o", 0).agents == (AgentName("ana", "Ana de Wit", "/pictures/x.webp"),)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["seen", "left", "expire"]),
        st.sampled_from(["ana", "tom"]),
        st.sampled_from(["1", "2"]),
        st.booleans(),
        st.integers(0, 30_000),
    ),
    max_size=60,
)


@given(STEPS)
def test_what_changes_tell_is_what_is_so_and_nothing_is_left_behind(steps):
    presence, told, now = Presence(), {}, 0
    for verb, who, tab, awake, pause in steps:
        # The sweep passes often; changes between two sweeps are told by the second.
        now += pause
        changes = presence.expire(now)
        if verb == "seen":
            changes += presence.seen("o", AgentName(who, who), who + tab, now, awake=awake)
        elif verb == "left":
            changes += presence.left(who + tab, now)
        for change in changes:
            told[change.agent.id] = change.state
        assert {k: v for k, v in told.items() if v != "offline"} == presence.states("o", now)
    presence.expire(now + EXPIRY_MS)
    assert presence._signs == presence._of_agent == presence._of_organisation == {}
