"""What may happen in a conversation: the table in `conversations/rules.py`, cell by cell, and its marks."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from balie.conversations import rules
from balie.conversations.marks import marked
from balie.conversations.model import PREVIEW, Conversation
from balie.kernel import events as happened
from balie.kernel.actor import AgentActor, SystemActor, VisitorActor
from balie.kernel.errors import ClosedError, ForbiddenError, NotFoundError, TakenError
from balie.kernel.events import AgentName, Envelope, File, MessagePosted
from balie.kernel.ids import new_id

ORGANISATION = "o1"
C = "c1"
VISITOR = VisitorActor(organisation_id=ORGANISATION, site_id="s1", visitor_id="v1")
KNOWN = VisitorActor(
    organisation_id=ORGANISATION, site_id="s1", visitor_id="v2", contact_id="contact"
)
STRANGER = VisitorActor(organisation_id=ORGANISATION, site_id="s1", visitor_id="v3")
OTHER_CONTACT = replace(KNOWN, visitor_id="v4", contact_id="somebody else")
ANNA = AgentActor(organisation_id=ORGANISATION, agent_id="anna", name="Anna", role="agent")
SYSTEM = SystemActor(organisation_id=ORGANISATION)
FOREIGN = [
    replace(VISITOR, organisation_id="o2"),
    replace(ANNA, organisation_id="o2"),
    replace(SYSTEM, organisation_id="o2"),
]

OPEN = Conversation(
    id=C,
    organisation_id=ORGANISATION,
    site_id="s1",
    visitor_id="v1",
    contact_id="contact",
    started_at=1,
    updated_at=1,
    last_seq=4,
    tags="bank",
    page_url="/a",
    attributes='{"plan":"basis"}',
    visitor_name="Jan",
)
STATES = {
    "open": OPEN,
    "open anna": replace(OPEN, agent_id="anna", agent_name="Anna"),
    "open bram": replace(OPEN, agent_id="bram", agent_name="Bram"),
    "closed": replace(OPEN, status="closed"),
    "closed anna": replace(OPEN, status="closed", agent_id="anna", agent_name="Anna"),
    "closed bram": replace(OPEN, status="closed", agent_id="bram", agent_name="Bram"),
}
SAID = MessagePosted(text="hoi")
NOTE = happened.NotePosted(text="let op")
STARTED = happened.ConversationStarted(site="s1")
RATED = happened.ConversationRated(score=5)
SEEN = happened.PageViewed(url="/b")
DESCRIBED = happened.VisitorDescribed(attributes={"plan": None, "cart": {"total": 95}})
TRACKED = happened.EventTracked(name="in wagen")
PIET = happened.VisitorIdentified(name="Piet", contact="contact", visitor="v1")
TO_ANNA = happened.ConversationAssigned(agent=AgentName(id="anna", name="Anna"))
REOPENED, RELEASED = happened.ConversationReopened(), happened.ConversationReleased()


def closed(by):
    return happened.ConversationClosed(by=by)


def commands(actor):
    """Every command, as `actor` would give it."""
    to = {"actor": actor, "conversation_id": C}
    name = AgentName(id="anna", name="Anna")
    return {
        "post": rules.Post(**to, client_message_id="m", message=SAID),
        "begin": rules.Post(**to, client_message_id="m", message=SAID, opening=STARTED),
        "note": rules.Note(**to, client_message_id="m", note=NOTE),
        "take": rules.Take(**to, agent=name),
        "take from bram": rules.Take(**to, agent=name, taken_from="bram"),
        "take from carla": rules.Take(**to, agent=name, taken_from="carla"),
        "release": rules.Release(**to),
        "close": rules.Close(**to),
        "reopen": rules.Reopen(**to),
        "rate": rules.Rate(**to, rating=RATED),
        "tag": rules.Tag(**to, tag="retour"),
        "tag again": rules.Tag(**to, tag="bank"),
        "untag": rules.Untag(**to, tag="bank"),
        "untag nothing": rules.Untag(**to, tag="retour"),
        "identify": rules.Identify(**to, identity=PIET),
        "see": rules.See(**to, page=SEEN),
        "describe": rules.Describe(**to, described=DESCRIBED),
        "describe again": rules.Describe(
            **to, described=happened.VisitorDescribed(attributes={"plan": "basis"})
        ),
        "track": rules.Track(**to, tracked=TRACKED),
        "see again": rules.See(**to, page=happened.PageViewed(url="/a")),
    }


ALL = (*STATES,)
OPENS, CLOSEDS = ALL[:3], ALL[3:]


def rows(names, expected):
    return dict.fromkeys(names, expected)


# command → who → state → events, or the error. One line for each cell of the docstring's table.
VISITORS = {
    "post": rows(OPENS, [SAID]) | rows(CLOSEDS, [REOPENED, SAID]),
    "begin": rows(OPENS, [SAID]) | rows(CLOSEDS, [REOPENED, SAID]),
    "close": rows(OPENS, [closed("visitor")]) | rows(CLOSEDS, []),
    "rate": rows(ALL, [RATED]),
    "identify": rows(ALL, [PIET]),
    "see": rows(OPENS, [SEEN]) | rows(CLOSEDS, []),
    "see again": rows(ALL, []),
    "describe": rows(OPENS, [DESCRIBED]) | rows(CLOSEDS, []),
    "describe again": rows(ALL, []),
    "track": rows(OPENS, [TRACKED]) | rows(CLOSEDS, []),
}
AGENTS = {
    "post": {
        "open": [TO_ANNA, SAID],
        "open anna": [SAID],
        # A colleague may help out; the conversation stays with who has it.
        "open bram": [SAID],
    }
    | rows(CLOSEDS, [REOPENED, TO_ANNA, SAID]),
    "note": rows(ALL, [NOTE]),
    "take": {"open": [TO_ANNA], "open anna": [], "open bram": TakenError}
    | rows(CLOSEDS, ClosedError),
    "take from bram": {"open": [TO_ANNA], "open anna": [], "open bram": [TO_ANNA]}
    | rows(CLOSEDS, ClosedError),
    "take from carla": {"open": [TO_ANNA], "open anna": [], "open bram": TakenError}
    | rows(CLOSEDS, ClosedError),
    "release": {"open": [], "open anna": [RELEASED], "open bram": [RELEASED]}
    | rows(CLOSEDS, ClosedError),
    "close": rows(OPENS, [closed("agent")]) | rows(CLOSEDS, []),
    "reopen": rows(OPENS, []) | rows(CLOSEDS, [REOPENED, TO_ANNA]),
    "tag": rows(ALL, [happened.ConversationTagged(tag="retour")]),
    "tag again": rows(ALL, []),
    "untag": rows(ALL, [happened.ConversationUntagged(tag="bank")]),
    "untag nothing": rows(ALL, []),
}
SYSTEMS = {"close": rows(OPENS, [closed("system")]) | rows(CLOSEDS, [])}
CELLS = [
    (actor, command, state, expected)
    for actor, table in ((VISITOR, VISITORS), (KNOWN, VISITORS), (ANNA, AGENTS), (SYSTEM, SYSTEMS))
    for command, by_state in table.items()
    for state, expected in by_state.items()
]


@pytest.mark.parametrize(
    ("actor", "command", "state", "expected"),
    CELLS,
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)
def test_the_table_is_what_happens(actor, command, state, expected):
    wish = commands(actor)[command]
    if isinstance(expected, type):
        with pytest.raises(expected):
            rules.decide(STATES[state], wish)
    else:
        assert list(rules.decide(STATES[state], wish)) == expected


def test_the_table_has_every_command():
    assert {type(wish) for wish in commands(ANNA).values()} == set(rules.AnyCommand.__args__)
    assert {name for table in (VISITORS, AGENTS, SYSTEMS) for name in table} == set(commands(ANNA))


@pytest.mark.parametrize("name", [*commands(ANNA)])
@pytest.mark.parametrize(
    ("actor", "own"),
    [(VISITOR, VISITORS), (KNOWN, VISITORS), (ANNA, AGENTS), (SYSTEM, SYSTEMS)],
    ids=["visitor", "known visitor", "agent", "system"],
)
def test_nobody_gives_the_commands_of_others(actor, own, name):
    # An opening that an agent brings along is not looked at: he answers what is there.
    table = own | ({"begin": {}} if actor is ANNA else {})
    wish = commands(actor)[name]
    assert (name in table) is isinstance(actor, rules.GIVEN_BY[type(wish)])
    if name in table:
        return
    for state in STATES.values():
        with pytest.raises(ForbiddenError):
            rules.decide(state, wish)


def test_every_command_says_who_may_give_it():
    assert set(rules.GIVEN_BY) == set(rules.AnyCommand.__args__)


def test_only_a_visitors_first_message_with_an_opening_finds_nothing_and_begins():
    for actor, name in product((VISITOR, ANNA, SYSTEM), commands(ANNA)):
        wish = commands(actor)[name]
        if name == "begin" and actor is VISITOR:
            assert rules.decide(None, wish) == (STARTED, SAID)
        else:
            with pytest.raises(NotFoundError):
                rules.decide(None, wish)


@pytest.mark.parametrize("actor", [STRANGER, OTHER_CONTACT, *FOREIGN])
def test_what_is_somebody_elses_does_not_exist(actor):
    for state, wish in product(STATES.values(), commands(actor).values()):
        with pytest.raises(NotFoundError):
            rules.decide(state, wish)


def test_a_visitor_without_a_contact_does_not_reach_conversations_without_one():
    assert not rules.may_reach(STRANGER, replace(OPEN, contact_id=None))


def test_what_a_visitor_proved_is_not_undone_by_what_he_says():
    proved = replace(OPEN, visitor_verified=True)
    assert rules.decide(proved, commands(VISITOR)["identify"]) == ()
    said = happened.VisitorIdentified(name="Piet", verified=True, visitor="v1", contact="contact")
    wish = rules.Identify(actor=VISITOR, conversation_id=C, identity=said)
    assert rules.decide(proved, wish) == (said,)


def test_saying_the_same_name_again_is_nothing_new():
    state = evolved(OPEN, PIET)
    assert rules.decide(state, commands(VISITOR)["identify"]) == ()


# What events do.


def evolved(state, payload, author="visitor", at=100):
    envelope = Envelope(C, state.last_seq + 1, at, happened.Author(kind=author, id="x"), payload)
    return rules.evolve(state, ORGANISATION, envelope)


@pytest.mark.parametrize(("actor", "command", "state", "expected"), CELLS, ids=lambda _: "")
def test_every_event_is_counted(actor, command, state, expected):
    if isinstance(expected, type):
        return
    now = STATES[state]
    for payload in expected:
        after = evolved(now, payload, author="agent" if actor is ANNA else "visitor")
        assert (after.last_seq, after.updated_at) == (now.last_seq + 1, 100)
        now = after


def test_who_waits_waits_since_his_first_unanswered_message():
    waiting = evolved(evolved(OPEN, SAID, at=10), SAID, at=20)
    assert (waiting.waiting_since, waiting.agent_unread, waiting.visitor_unread) == (10, 2, 0)
    answered = evolved(waiting, SAID, author="agent", at=30)
    assert (answered.waiting_since, answered.agent_unread, answered.visitor_unread) == (None, 0, 1)
    assert evolved(waiting, closed("agent")).waiting_since is None
    assert evolved(waiting, NOTE, author="agent").waiting_since == 10


def test_a_reopened_conversation_waits_for_whoever_is_here():
    reopened = evolved(STATES["closed anna"], REOPENED)
    assert (reopened.status, reopened.agent_id, reopened.closed_at) == ("open", None, None)


@given(tags=some.lists(some.sampled_from(("a", "b", "c", "d")), max_size=8))
def test_tags_are_a_set_in_order(tags):
    state = replace(OPEN, tags="")
    for tag in tags:
        state = evolved(state, happened.ConversationTagged(tag=tag))
    assert state.tag_list == tuple(sorted(set(tags)))
    for tag in tags:
        state = evolved(state, happened.ConversationUntagged(tag=tag))
    assert state.tag_list == ()


# Marks.

SEQS = some.integers(-3, 12)
MARKS = some.tuples(some.sampled_from(("visitor", "agent")), SEQS, SEQS)


@given(marks=some.lists(MARKS, max_size=20))
def test_marks_only_grow_and_never_pass_the_end(marks):
    state = replace(OPEN, last_seq=9, message_seq=7, visitor_unread=2, agent_unread=3)
    for side, delivered, read in marks:
        after = marked(state, side, delivered, read)
        if after is None:
            continue
        assert after != state
        for name in ("visitor_delivered", "visitor_read", "agent_delivered", "agent_read"):
            assert getattr(state, name) <= getattr(after, name) <= 9
            if not name.startswith(side):
                assert getattr(after, name) == getattr(state, name)
        assert after.visitor_delivered >= after.visitor_read
        assert after.agent_delivered >= after.agent_read
        state = after
    read_all = {side for side, _, read in marks if read >= 7}
    assert (state.visitor_unread == 0) is ("visitor" in read_all)
    assert (state.agent_unread == 0) is ("agent" in read_all)


# Previews.


@given(text=some.text(max_size=1_000))
def test_a_preview_is_one_short_line_of_the_text(text):
    line = rules.preview(MessagePosted(text=text))
    assert len(line) <= PREVIEW
    assert line == line.strip() or len(line) == PREVIEW
    assert not any(sign in line for sign in "\n\r\t\v\f")
    assert "  " not in line
    assert " ".join(text.split()).startswith(line)


def test_a_message_of_files_is_previewed_by_their_names():
    files = tuple(File(new_id(1, b"0" * 10), name, "image/png", 1) for name in ("a.png", "b.png"))
    assert rules.preview(MessagePosted(text="", files=files)) == "a.png, b.png"


def test_who_comes_second_is_told_who_has_it():
    take = rules.Take(
        actor=ANNA, conversation_id=C, agent=AgentName(id="anna", name="Anna"), taken_from="carla"
    )
    with pytest.raises(TakenError) as refused:
        rules.decide(STATES["open bram"], take)
    assert refused.value.members == {"holder": "bram"}
