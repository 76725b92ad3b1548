"""What travels has every field that its description does not mark as one that may be left out."""

import msgspec

from balie.conversations.views import wire
from balie.kernel.events import Author, ConversationStarted, Device, Envelope, Page
from balie.kernel.shapes import Desk, RowVisitor, VisitorSelf


def test_what_is_false_or_empty_is_told():
    visitor = VisitorSelf(id="v", token="t", verified=False)
    assert msgspec.to_builtins(visitor) == {"id": "v", "token": "t", "verified": False}
    known = RowVisitor(id="v", verified=False, online=False)
    assert msgspec.to_builtins(known) == {"id": "v", "verified": False, "online": False}
    assert msgspec.to_builtins(Desk("away", ())) == {"state": "away", "agents": ()}


def test_a_visitor_reads_nothing_about_how_it_started():
    started = ConversationStarted("site", page=Page("https://x.example"), device=Device("phone"))
    envelope = Envelope("c", 1, 5, Author("visitor", "v"), started)
    told = msgspec.json.decode(msgspec.json.encode(wire(envelope, for_visitor=True)))
    assert told["data"] == {}
    assert wire(envelope, for_visitor=False).data != msgspec.Raw(b"{}")
