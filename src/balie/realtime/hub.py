"""Who hears what. The hub knows the live connections of this process and nothing durable."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any, Protocol

import msgspec

from balie.conversations.model import Conversation
from balie.conversations.views import receipts, row, view, wire_event
from balie.kernel.events import AgentName, ConversationStarted, Envelope
from balie.kernel.shapes import AgentState, Desk, Marks
from balie.realtime.protocol import frames as f
from balie.realtime.protocol.session import Kind, events_frame
from balie.store.log import Appended

INBOX_EVERY = 0.2
RENAMED_KEPT = 10_000
"""Former visitor ids that are remembered."""
GONE_AFTER = 8.0
"""Seconds that a visitor may be without a connection before agents are told: a page takes a while to load."""

encode = msgspec.json.Encoder().encode


class Listener(Protocol):
    """A connection, as the hub sees it."""

    @property
    def kind(self) -> Kind: ...

    @property
    def organisation_id(self) -> str: ...

    def hear(self, conversation: str, first: int, last: int, frame: Callable[[], bytes]) -> None:
        """Events were committed; `frame` encodes them for this kind of listener, once for all."""
        ...

    def push(self, frame: bytes) -> None: ...

    def end(self, code: int, reason: str) -> None: ...


class VisitorListener(Listener, Protocol):
    """A tab of a visitor."""

    @property
    def visitor_id(self) -> str: ...

    @property
    def site_id(self) -> str: ...

    @property
    def following(self) -> Container[str]: ...


class AgentListener(Listener, Protocol):
    """An open console."""

    @property
    def agent_id(self) -> str: ...

    @property
    def session_id(self) -> str: ...

    def list_rows(self, frame: bytes) -> None:
        """Rows of the lists have changed."""
        ...

    def rename(self, name: AgentName) -> None:
        """What the agent does from now on, he does under this name and picture."""
        ...


class Hub:
    """Fans out what was committed, and what is soft: receipts, typing, presence."""

    def __init__(self) -> None:
        self._followers: dict[str, set[Listener]] = defaultdict(set)
        self._consoles: dict[str, set[AgentListener]] = defaultdict(set)
        self._tabs: dict[str, set[VisitorListener]] = defaultdict(set)
        self._sites: dict[str, set[VisitorListener]] = defaultdict(set)
        self._changed: dict[str, dict[str, Conversation]] = defaultdict(dict)
        self._due = False
        self._visitors_of: Counter[str] = Counter()
        self._renamed: dict[str, None] = {}
        # What the other processes must know, and what they know.
        self.is_online_elsewhere: Callable[[str], bool] = lambda _: False
        self.on_typing: Callable[[str, f.TypingBy, bool], None] = lambda *_: None
        self.on_visitor: Callable[[str, tuple[str, ...], bool], None] = lambda *_: None

    # Coming and going.

    def join_visitor(self, tab: VisitorListener) -> None:
        self._tabs[tab.visitor_id].add(tab)
        self._sites[tab.site_id].add(tab)
        self._visitors_of[tab.organisation_id] += 1

    def leave_visitor(self, tab: VisitorListener, conversations: Iterable[str]) -> None:
        for conversation in list(conversations):
            self.unfollow(conversation, tab)
        if tab in self._sites.get(tab.site_id, ()):
            self._visitors_of[tab.organisation_id] -= 1
        _discard(self._sites, tab.site_id, tab)
        _discard(self._tabs, tab.visitor_id, tab)

    def join_agent(self, console: AgentListener) -> None:
        self._consoles[console.organisation_id].add(console)

    def leave_agent(self, console: AgentListener, conversations: Iterable[str]) -> None:
        for conversation in list(conversations):
            self.unfollow(conversation, console)
        _discard(self._consoles, console.organisation_id, console)

    def follow(self, conversation: str, listener: Listener) -> None:
        self._followers[conversation].add(listener)

    def unfollow(self, conversation: str, listener: Listener) -> None:
        _discard(self._followers, conversation, listener)

    def is_online(self, visitor_id: str) -> bool:
        return visitor_id in self._tabs or self.is_online_elsewhere(visitor_id)

    def agents_hear(self, conversation: str) -> bool:
        """Whether a console follows this conversation now."""
        return any(each.kind == "agent" for each in self._followers.get(conversation, ()))

    def connections(self) -> int:
        return sum(map(len, self._tabs.values())) + sum(map(len, self._consoles.values()))

    # What was committed.

    def committed(self, appended: Appended[Conversation]) -> None:
        """Tell everyone who follows the conversation, and the lists that it is in."""
        state, envelopes = appended.state, appended.envelopes
        if not envelopes:
            return
        listeners = self._followers.get(state.id)
        if listeners:
            self._fan_out(state.id, envelopes, listeners)
        self.announce(appended)
        self._touch_list(state)

    def listed(self, state: Conversation) -> None:
        """A row has changed elsewhere; what was said is not known here, and nobody here follows it."""
        self._touch_list(state)

    def is_followed(self, conversation: str) -> bool:
        return conversation in self._followers

    def has_consoles(self, organisation_id: str) -> bool:
        return organisation_id in self._consoles

    def has_visitors(self, organisation_id: str) -> bool:
        return self._visitors_of[organisation_id] > 0

    def _fan_out(
        self, conversation: str, envelopes: tuple[Envelope, ...], listeners: set[Listener]
    ) -> None:
        frames = _Frames(conversation, envelopes)
        first, last = envelopes[0].seq, envelopes[-1].seq
        for listener in tuple(listeners):
            frame = frames.for_visitors if listener.kind == "visitor" else frames.for_agents
            listener.hear(conversation, first, last, frame)

    def announce(self, appended: Appended[Conversation]) -> None:
        """The visitor's other tabs learn of a conversation that they cannot follow yet."""
        state, envelopes = appended.state, appended.envelopes
        if not (envelopes and isinstance(envelopes[0].payload, ConversationStarted)):
            return
        frame = encode(f.ConversationChanged(view(state)))
        for tab in self._tabs.get(state.visitor_id, ()):
            if state.id not in tab.following:
                tab.push(frame)

    def touched(self, state: Conversation) -> None:
        """Read marks have moved."""
        marks = receipts(state)
        for listener in tuple(self._followers.get(state.id, ())):
            by, mark = (
                ("agent", marks.agent) if listener.kind == "visitor" else ("visitor", marks.visitor)
            )
            listener.push(_receipt(state.id, by, mark))
            # One's own other tabs and consoles drop their unread count.
            own, mine = (
                ("visitor", marks.visitor) if listener.kind == "visitor" else ("agent", marks.agent)
            )
            listener.push(_receipt(state.id, own, mine))
        self._touch_list(state)

    # Lists.

    def _touch_list(self, state: Conversation) -> None:
        if state.organisation_id not in self._consoles:
            return
        known = self._changed[state.organisation_id].get(state.id)
        if known is not None and known.last_seq > state.last_seq:
            # Read elsewhere before it; what is on its way is newer.
            return
        self._changed[state.organisation_id][state.id] = state
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_later(INBOX_EVERY, self.flush_lists)

    def flush_lists(self) -> None:
        """Send consoles the rows that changed, each once."""
        self._due = False
        changed, self._changed = self._changed, defaultdict(dict)
        for organisation_id, states in changed.items():
            consoles = self._consoles.get(organisation_id)
            if not consoles:
                continue
            rows = tuple(
                row(state, online=self.is_online(state.visitor_id)) for state in states.values()
            )
            for start in range(0, len(rows), 100):
                frame = encode(f.Inbox(rows[start : start + 100]))
                for console in tuple(consoles):
                    console.list_rows(frame)

    def gone(self, organisation_id: str, conversations: Sequence[str]) -> None:
        """These are no more: consoles take them out of sight."""
        changed = self._changed.get(organisation_id, {})
        for conversation in conversations:
            changed.pop(conversation, None)
            self._followers.pop(conversation, None)
        consoles = tuple(self._consoles.get(organisation_id, ()))
        for start in range(0, len(conversations) if consoles else 0, 100):
            frame = encode(f.ConversationsGone(tuple(conversations[start : start + 100])))
            for console in consoles:
                console.push(frame)

    def some_gone(self, organisation_id: str) -> None:
        """Some are no more, and which is not known here: consoles list again from nothing."""
        self._changed.pop(organisation_id, None)
        for console in tuple(self._consoles.get(organisation_id, ())):
            console.push(encode(f.ConversationsGone(())))

    def followed(self) -> list[str]:
        """The conversations that somebody hears now."""
        return list(self._followers)

    def visitors(self) -> list[str]:
        """The visitors who are connected now."""
        return list(self._tabs)

    def visitors_following(self) -> list[tuple[str, tuple[str, ...]]]:
        """The visitors who are connected now and follow a conversation, and which."""
        found: dict[str, tuple[str, ...]] = {}
        for conversation, listeners in self._followers.items():
            for each in listeners:
                if each.kind == "visitor":
                    visitor: str = each.visitor_id  # type: ignore[attr-defined]
                    found[visitor] = (*found.get(visitor, ()), conversation)
        return list(found.items())

    # What is soft.

    def typing(self, conversation: str, sender: Listener, by: f.TypingBy, *, on: bool) -> None:
        """Tell the others that somebody types; agents' typing is told to visitors and colleagues."""
        self.show_typing(conversation, sender, by, on=on)
        self.on_typing(conversation, by, on)

    def show_typing(
        self, conversation: str, sender: Listener | None, by: f.TypingBy, *, on: bool
    ) -> None:
        """As `typing`, to those who are connected here."""
        frame = encode(f.Typing(conversation, by, on))
        for listener in tuple(self._followers.get(conversation, ())):
            if listener is not sender:
                listener.push(frame)

    def visitor_came_or_went(
        self, visitor_id: str, conversations: tuple[str, ...], *, online: bool
    ) -> None:
        self.show_visitor(conversations, online=online)
        self.on_visitor(visitor_id, conversations, online)

    def show_visitor(self, conversations: Iterable[str], *, online: bool) -> None:
        """Tell the consoles here that a visitor is there, or not."""
        for conversation in conversations:
            frame = encode(f.AgentPresence(visitors={conversation: online}))
            for listener in tuple(self._followers.get(conversation, ())):
                if listener.kind == "agent":
                    listener.push(frame)

    def rename_agent(self, organisation_id: str, name: AgentName) -> None:
        """An agent has another name or picture."""
        for console in self._consoles.get(organisation_id, ()):
            if console.agent_id == name.id:
                console.rename(name)

    def agents_changed(self, organisation_id: str, agents: tuple[AgentState, ...]) -> None:
        frame = encode(f.AgentPresence(agents=agents))
        for console in tuple(self._consoles.get(organisation_id, ())):
            console.push(frame)

    def desk_changed(self, organisation_id: str, desk: Desk) -> None:
        frame = encode(f.VisitorPresence(desk))
        for tabs in tuple(self._sites.values()):
            for tab in tuple(tabs):
                if tab.organisation_id == organisation_id:
                    tab.push(frame)

    # Endings.

    def agent_sessions(self) -> set[str]:
        """The sign-ins of all consoles that are connected."""
        return {console.session_id for consoles in self._consoles.values() for console in consoles}

    def end_agent_session(self, session_id: str, code: int, reason: str) -> None:
        """Close the consoles of a sign-in that was ended."""
        for consoles in tuple(self._consoles.values()):
            for console in tuple(consoles):
                if console.session_id == session_id:
                    console.end(code, reason)

    def end_visitor(self, visitor_id: str, code: int, reason: str) -> None:
        for tab in tuple(self._tabs.get(visitor_id, ())):
            tab.end(code, reason)

    def rename_visitor(self, visitor_id: str) -> None:
        """The visitor has a new id: his tabs are to come back with the token for it, not with the old one."""
        self._renamed[visitor_id] = None
        if len(self._renamed) > RENAMED_KEPT:
            del self._renamed[next(iter(self._renamed))]
        self.end_visitor(visitor_id, f.Close.RENAMED, "identified under a new token")

    def was_renamed(self, visitor_id: str) -> bool:
        """Whether this id was given up not long ago."""
        return visitor_id in self._renamed

    def broadcast(self, frame: bytes) -> None:
        for listener in self.everyone():
            listener.push(frame)

    def everyone(self) -> list[Listener]:
        tabs: list[Listener] = [tab for group in self._tabs.values() for tab in group]
        consoles = [console for group in self._consoles.values() for console in group]
        return [*tabs, *consoles]


class _Frames:
    """New events as frames: encoded when first asked for, once for all visitors and once for all agents."""

    __slots__ = ("_agents", "_conversation", "_envelopes", "_visitors")

    def __init__(self, conversation: str, envelopes: tuple[Envelope, ...]) -> None:
        self._conversation = conversation
        self._envelopes = envelopes
        self._visitors: bytes | None = None
        self._agents: bytes | None = None

    def for_visitors(self) -> bytes:
        if self._visitors is None:
            self._visitors = self._encode(for_visitor=True)
        return self._visitors

    def for_agents(self) -> bytes:
        if self._agents is None:
            self._agents = self._encode(for_visitor=False)
        return self._agents

    def _encode(self, *, for_visitor: bool) -> bytes:
        events = [wire_event(each, for_visitor=for_visitor) for each in self._envelopes]
        return events_frame(self._conversation, events)


def _receipt(conversation: str, by: str, marks: Marks) -> bytes:
    return encode(f.Receipt(conversation, by, marks.delivered, marks.read))  # type: ignore[arg-type]


def _discard(groups: "dict[str, set[Any]]", key: str, member: object) -> None:
    group = groups.get(key)
    if group is None:
        return
    group.discard(member)
    if not group:
        del groups[key]
