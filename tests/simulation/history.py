"""What everyone did and saw, and what must be true of it."""

from collections import Counter
from itertools import pairwise
from typing import Any

import msgspec
from tests.simulation.people import CANARY, Client, Tab, View

from balie.conversations.rules import evolve
from balie.conversations.views import wire_event
from balie.kernel import events as happened

SOFT = ("delivered", "read", "unread")


class History:
    """The notes of one world, and the findings of its checker."""

    def __init__(self) -> None:
        self.findings: list[tuple[str, str]] = []
        self.said: list[tuple[str, str, str]] = []
        self.acks: dict[tuple[str, str], list[tuple[str, int, int]]] = {}
        self.views: list[View] = []

    def find(self, kind: str, what: str) -> None:
        """Something is wrong."""
        self.findings.append((kind, what))

    def heard(self, client: Client, text: bytes) -> None:
        """A client has received a message."""
        if client.kind == "visitor" and CANARY.encode() in text:
            self.find("leak", f"{client.name} was told {text[:200]!r}")
        if b'"ack"' not in text:
            return
        frames = msgspec.json.decode(text)
        for frame in frames if isinstance(frames, list) else [frames]:
            if frame["type"] == "ack":
                self.acked(client.name, frame)

    def acked(self, name: str, frame: dict[str, Any]) -> None:
        place = (frame["conversation"], frame["seq"], frame["at"])
        earlier = self.acks.setdefault((name, frame["client_message_id"]), [])
        if earlier and earlier[0] != place:
            self.find("duplicate", f"{name}'s message has two places: {earlier[0]} and {place}")
        earlier.append(place)

    def check(self, world: Any) -> None:
        """Everything has come to rest: compare what was said and shown with the log."""
        logs = world.disk.log()
        self.check_logs(world, logs)
        self.check_keys(logs)
        self.check_acks(logs)
        self.check_order(logs)
        wires = Wires(logs)
        for view in self.views:
            self.check_view(view, wires.of(view.conversation, world.clients[view.owner].kind))
        for client in world.clients.values():
            self.check_rest(client, wires)

    def check_logs(self, world: Any, logs: dict[str, list[Any]]) -> None:
        for conversation, log in logs.items():
            seqs = [envelope.seq for envelope in log]
            if seqs != list(range(1, len(log) + 1)):
                self.find("hole", f"the log of {conversation} is numbered {seqs}")
                continue
            state = None
            for envelope in log:
                self.check_winner(state, envelope)
                state = evolve(state, world.organisation, envelope)
            if hard(state) != hard(world.disk.state(conversation)):
                self.find("stale", f"the row of {conversation} is not what its log adds up to")

    def check_winner(self, state: Any, envelope: Any) -> None:
        """Nobody here takes a conversation over: an owner stays until release or reopening."""
        payload = envelope.payload
        if not isinstance(payload, happened.ConversationAssigned):
            return
        if state.agent_id not in (None, payload.agent.id):
            self.find("two winners", f"{payload.agent.name} got what {state.agent_name} had")

    def check_keys(self, logs: dict[str, list[Any]]) -> None:
        keys = Counter(
            (each.author.id, each.client_message_id)
            for log in logs.values()
            for each in log
            if each.client_message_id
        )
        for (author, key), count in keys.items():
            if count > 1:
                self.find("duplicate", f"{key} of {author} stands {count} times in the log")
        texts = Counter(
            each.payload.text for log in logs.values() for each in log if each.client_message_id
        )
        for text, count in texts.items():
            if count > 1:
                self.find(
                    "duplicate", f"{text!r} was said once and stands {count} times in the log"
                )

    def check_acks(self, logs: dict[str, list[Any]]) -> None:
        for (name, key), places in self.acks.items():
            conversation, seq, _ = places[0]
            log = logs.get(conversation, [])
            if len(log) < seq or log[seq - 1].client_message_id != key:
                self.find("lost", f"{key} of {name} was acked as {seq} and is not there")

    def check_order(self, logs: dict[str, list[Any]]) -> None:
        """What one page said in one conversation stands in the order in which it was said."""
        rank = {text: number for number, (_, _, text) in enumerate(self.said)}
        page = {text: name for name, _, text in self.said}
        for conversation, log in logs.items():
            last: dict[str, int] = {}
            for envelope in log:
                text = getattr(envelope.payload, "text", None)
                if text is None:
                    continue
                if rank[text] < last.get(page[text], -1):
                    self.find("reordered", f"{text!r} came too late into {conversation}")
                last[page[text]] = rank[text]

    def check_view(self, view: View, log: list[dict[str, Any]]) -> None:
        seqs = [event["seq"] for event in view.events]
        for earlier, later in pairwise(seqs):
            if later == earlier + 1:
                continue
            kind = "hole" if later > earlier else "reordered" if later < earlier else "duplicate"
            self.find(kind, f"{view.owner} saw {later} after {earlier} of {view.conversation}")
        for event in view.events:
            if event["seq"] > len(log) or log[event["seq"] - 1] != event:
                self.find("phantom", f"{view.owner} saw {event}, which the log does not have")

    def check_rest(self, client: Client, wires: "Wires") -> None:
        """Nothing is under way, and what a page shows is the end of the log."""
        if client.session.status != "live":
            self.find("stale", f"{client.name} is {client.session.status} long after all faults")
        for item in client.session.outbox.items:
            self.find("stuck", f"{item['text']!r} of {client.name} is still {item['state']}")
        for conversation in client.session.logs:
            log = wires.of(conversation, client.kind)
            shown = client.view(conversation).events
            if (shown[-1]["seq"] if shown else 0) != len(log):
                self.find("stale", f"{client.name} shows {len(shown)} of {len(log)} events")
        if isinstance(client, Tab) and client.actor:
            for conversation in wires.owned(client.actor.visitor_id) - set(client.session.logs):
                self.find("stale", f"{client.name} never heard of {conversation}")
        self.check_said(client, wires.texts)

    def check_said(self, client: Client, texts: set[str]) -> None:
        for name, key, text in self.said:
            if name == client.name and text not in texts and not client.session.outbox.find(key):
                self.find("lost", f"{text!r} of {name} is neither in the log nor in the outbox")


class Wires:
    """The log as each side may see it, made once."""

    def __init__(self, logs: dict[str, list[Any]]) -> None:
        self.logs = logs
        self.made: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.texts = {
            text
            for log in logs.values()
            for each in log
            if (text := getattr(each.payload, "text", None))
        }

    def of(self, conversation: str, kind: str) -> list[dict[str, Any]]:
        key = (conversation, kind)
        if key not in self.made:
            self.made[key] = [
                msgspec.json.decode(wire_event(each, for_visitor=kind == "visitor"))
                for each in self.logs.get(conversation, [])
            ]
        return self.made[key]

    def owned(self, visitor: str) -> set[str]:
        return {name for name, log in self.logs.items() if log and log[0].author.id == visitor}


def hard(state: Any) -> dict[str, Any]:
    """A row without the marks that are kept beside the log."""
    return (
        {name: getattr(state, name) for name in state.__struct_fields__ if not name.endswith(SOFT)}
        if state
        else {}
    )
