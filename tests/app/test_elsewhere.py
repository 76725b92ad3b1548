"""Processes that tell each other who is with them: what is lost heals when they speak again."""

from types import SimpleNamespace

import msgspec
import pytest

from balie.agents.presence import Presence
from balie.app.elsewhere import SILENT_MS, Elsewhere
from balie.kernel.events import AgentName
from balie.realtime.hub import Hub
from balie.realtime.protocol.frames import TypingBy
from balie.store.notices import Notice

TOM = AgentName("tom", "Tom")


class Wire:
    """Carries notices between processes at once, unless it is cut."""

    def __init__(self):
        self.ends = []
        self.is_cut = False
        self.now = 0

    def tell(self, worker, kind, body):
        notice = Notice(0, worker, kind, msgspec.json.encode(body).decode(), self.now)
        for end in self.ends:
            if end.worker != worker and not self.is_cut:
                end.hear(notice)


class Tab:
    """An open panel."""

    kind, site_id, organisation_id, following = "visitor", "s", "o", ()

    def __init__(self, visitor_id):
        self.visitor_id = visitor_id


class End:
    """As much of `Neighbours` as is needed, and the process around it."""

    def __init__(self, wire, worker):
        self.wire, self.worker, self.hear = wire, worker, None
        self.hub = Hub()
        self.presence = Presence()
        room = SimpleNamespace(presence=self.presence)
        self.elsewhere = Elsewhere(self, None, lambda: wire.now, self.hub, room, None)
        self.hub.is_online_elsewhere = self.elsewhere._is_online
        wire.ends.append(self)

    def tell(self, kind, body, *, soft=False):  # noqa: ARG002
        self.wire.tell(self.worker, kind, body)

    def visitor(self, visitor, conversation):
        """He comes, and follows a conversation."""
        tab = Tab(visitor)
        self.hub.join_visitor(tab)
        self.hub.follow(conversation, tab)
        self.elsewhere._visitor(visitor, (conversation,), online=True)
        self.elsewhere._tell_soft()

    def say_here(self):
        self.elsewhere._tell_here()
        self.elsewhere._tell_soft()


@pytest.fixture
async def pair():
    wire = Wire()
    ends = End(wire, "a" * 12), End(wire, "b" * 12)
    for end in ends:
        end.elsewhere._tell_here(asks=True)
    for end in ends:
        end.elsewhere._tell_soft()
    return wire, *ends


async def test_who_is_there_is_known_elsewhere(pair):
    wire, here, there = pair
    here.visitor("eva", "c")
    here.presence.seen("o", TOM, "console", wire.now)
    here.say_here()
    assert there.hub.is_online("eva")
    assert there.presence.state("tom", wire.now) == "available"


async def test_who_was_forgotten_is_known_again_when_his_process_speaks(pair):
    wire, here, there = pair
    here.visitor("eva", "c")
    here.presence.seen("o", TOM, "console", wire.now)
    here.say_here()
    wire.is_cut, wire.now = True, SILENT_MS + 1
    here.presence.seen("o", TOM, "console", wire.now)
    there.elsewhere._forget_silent()
    assert not there.hub.is_online("eva")
    assert there.presence.state("tom", wire.now) == "offline"
    wire.is_cut = False
    here.say_here()
    assert there.hub.is_online("eva")
    assert there.presence.state("tom", wire.now) == "available"


async def test_who_says_goodbye_is_gone_at_once(pair):
    wire, here, there = pair
    here.presence.seen("o", TOM, "console", wire.now)
    here.visitor("eva", "c")
    here.say_here()
    wire.tell(here.worker, "bye", {})
    assert there.presence.state("tom", wire.now) == "offline"
    assert not there.hub.is_online("eva")


async def test_a_command_that_tells_something_is_no_server(pair):
    wire, here, there = pair
    heard = []
    there.elsewhere.on_sessions_ended = heard.append
    wire.tell("0" * 12, "sessions_ended", {"sessions": ["s"]})
    assert heard == [["s"]]
    assert not there.elsewhere.reaches("0" * 12 + "stream")
    assert [here.elsewhere.leads(), there.elsewhere.leads()] == [True, False]


async def test_who_has_said_it_does_not_type_any_more(pair):
    _, here, there = pair
    shown = []
    there.hub.show_typing = lambda conversation, _, by, on: shown.append((conversation, by.id, on))
    tom, eva = (TypingBy(kind="agent", id="tom"), TypingBy(kind="visitor", id="eva"))
    for by in (tom, eva):
        here.elsewhere._typing("c", by, on=True)
    said = SimpleNamespace(conversation_id="c", author=tom)
    here.elsewhere.committed(SimpleNamespace(envelopes=(said,)))
    here.elsewhere._tell_soft()
    assert shown == [("c", "eva", True)]


async def test_what_a_newer_version_tells_disturbs_nobody(pair):
    wire, _, there = pair
    wire.tell("c" * 12, "of_tomorrow", {"x": 1})
    wire.tell("c" * 12, "here", {"consoles": "rubbish"})
    assert not there.elsewhere.reaches("c" * 12 + "stream")
