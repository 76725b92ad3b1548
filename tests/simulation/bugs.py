"""Classic faults, planted by name, to see that the checker sees. Each is a patch of the real code.

A checker that finds nothing is worth as much as the faults that it is known to find.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import msgspec
from tests.simulation.people import Client
from tests.simulation.storage import ModelJournal, Store

from balie.conversations import commands, rules
from balie.kernel.events import ConversationAssigned
from balie.kernel.ids import new_id
from balie.realtime import connection, hub
from balie.realtime.connection import Connection
from balie.realtime.protocol import session
from balie.realtime.protocol.client import ClientSession
from balie.realtime.protocol.client_line import ClientLine
from balie.realtime.protocol.client_log import Log
from balie.realtime.protocol.client_outbox import Outbox
from balie.realtime.protocol.client_pace import Pace
from balie.realtime.protocol.session import Session, Verdict
from balie.realtime.visitor import VisitorConnection
from balie.store.engine import AppendJob

Bug = Callable[[ExitStack], None]
BUGS: dict[str, Bug] = {}


def bug(plant: Bug) -> Bug:
    BUGS[plant.__name__] = plant
    return plant


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """The code with one fault in it, or as it is."""
    with ExitStack() as stack:
        if name:
            BUGS[name](stack)
        yield


def change(stack: ExitStack, owner: Any, name: str, new: Any) -> None:
    """Replace `owner.name` by `new`, which gets the old one first."""
    old = getattr(owner, name)
    stack.enter_context(patch.object(owner, name, lambda *args, **kw: new(old, *args, **kw)))


# The store.


@bug
def ack_before_commit(stack: ExitStack) -> None:
    """The sender is told while the transaction is still under way."""

    def commit(_old: Any, store: Store) -> None:
        batch = store.writer.take()
        store.writing = bool(batch)
        if batch:
            store.deliver([store.writer.attempt(job) for job in batch])
            store.later(60, store.writer.journal.commit)
            store.later(10, store.commit)

    change(stack, Store, "commit", commit)


@bug
def broadcast_before_commit(stack: ExitStack) -> None:
    """The others are told before it is on disk, the sender after."""

    def commit(_old: Any, store: Store) -> None:
        batch = store.writer.take()
        if not batch:
            store.writing = False
            return
        outcomes = [store.writer.attempt(job) for job in batch]
        for job, (_, result, _) in zip(batch, outcomes, strict=True):
            if isinstance(job, AppendJob) and result is not None and not result.repeated:
                store.on_appended(result)
        store.later(60, write, store, outcomes)

    def write(store: Store, outcomes: list[Any]) -> None:
        store.writer.journal.commit()
        store.deliver(outcomes)
        store.commit()

    change(stack, Store, "commit", commit)


@bug
def no_unique_key(stack: ExitStack) -> None:
    """A repeat is not noticed."""
    change(stack, ModelJournal, "earlier", lambda *_: None)


@bug
def repeat_gets_new_seq(stack: ExitStack) -> None:
    """A repeat is noticed, but answered with the end of the conversation."""

    def earlier(old: Any, journal: ModelJournal, append: Any) -> Any:
        found = old(journal, append)
        state = journal.state(append.conversation_id)
        return found and state and msgspec.structs.replace(found, seq=state.last_seq)

    change(stack, ModelJournal, "earlier", earlier)


@bug
def seq_outside_transaction(stack: ExitStack) -> None:
    """The number is drawn when the message comes in, not when it is written."""

    def queue(old: Any, store: Store, job: Any) -> None:
        if isinstance(job, AppendJob):
            state = store.disk.state(job._append.conversation_id)
            job.drawn = state.last_seq + 1 if state else 1
        old(store, job)

    def run(old: Any, job: Any, connection: Any, journal: Any) -> Any:
        journal.drawn = job.drawn
        return old(job, connection, journal)

    def number(old: Any, journal: Any, append: Any, _state: Any, payloads: Any) -> Any:
        class Stale:
            last_seq = journal.drawn - 1

        return old(journal, append, Stale, payloads)

    change(stack, Store, "queue", queue)
    change(stack, AppendJob, "run", run)
    change(stack, ModelJournal, "number", number)


@bug
def memory_survives_rollback(stack: ExitStack) -> None:
    """After a failed transaction the states of it are still believed."""

    def forget(_old: Any, journal: ModelJournal) -> None:
        journal.rows.clear()

    change(stack, ModelJournal, "forget", forget)


# Decisions.


@bug
def take_without_compare(stack: ExitStack) -> None:
    """Whoever takes last, has it."""

    def take(_state: Any, command: Any) -> Any:
        return (ConversationAssigned(agent=command.agent),)

    stack.enter_context(patch.dict(rules._DECISIONS, {rules.Take: take}))


@bug
def conversation_id_per_try(stack: ExitStack) -> None:
    """A new conversation's id is drawn anew whenever its first message comes."""
    count = iter(range(1_000_000))

    def fresh(_old: Any, *_: Any) -> str:
        return new_id(1_790_000_000_000, next(count).to_bytes(10))

    change(stack, commands, "new_conversation_id", fresh)


# The server's session and its shell.


@bug
def server_resume_off_by_one(stack: ExitStack) -> None:
    """The first missing event is taken for known."""

    async def find_gap(old: Any, store: Any, actor: Any, name: str, after: int, limit: int) -> Any:
        page = await old(store, actor, name, after, limit)
        return msgspec.structs.replace(page, events=page.events[1:])

    change(stack, connection.queries, "find_gap", find_gap)


@bug
def server_forgets_filling(stack: ExitStack) -> None:
    """A resume does not mark the conversation as being filled."""

    def resume(old: Any, session: Session, conversation: str, last_seq: int) -> Any:
        effects = old(session, conversation, last_seq)
        if conversation in session.following:
            session.following[conversation].filling = False
        return effects

    change(stack, Session, "resume", resume)


@bug
def live_while_filling(stack: ExitStack) -> None:
    """Live events go out while older ones are still being read."""

    def live(old: Any, session: Session, conversation: str, first: int, last: int) -> Verdict:
        following = session.following.get(conversation)
        if following is None or not following.filling:
            return old(session, conversation, first, last)
        following.known = max(following.known, last)
        return Verdict.SEND

    change(stack, Session, "live", live)


@bug
def live_skipped_when_slow(stack: ExitStack) -> None:
    """What a narrow line cannot take now is not read again later."""
    change(stack, Session, "fall_behind", lambda _old, *_: [])


@bug
def live_during_fill_lost(stack: ExitStack) -> None:
    """What was committed while older events were read is not looked up afterwards."""
    change(stack, Session, "_catch_up", lambda *_: [])


@bug
def ack_past_hole(stack: ExitStack) -> None:
    """An ack moves the session on, whatever lies before it."""

    def acknowledged(old: Any, session: Session, ack: Any, before: Any, **how: Any) -> Any:
        effects = old(session, ack, before, **how)
        if following := session.following.get(ack.conversation):
            following.last_seq = max(following.last_seq, ack.seq)
        return effects

    change(stack, Session, "acknowledged", acknowledged)


@bug
def sender_hears_himself(stack: ExitStack) -> None:
    """What the ack stands for is sent as an event, too."""

    def live(old: Any, session: Session, conversation: str, first: int, last: int) -> Verdict:
        following = session.following.get(conversation)
        if following is not None and last == following.last_seq and not following.filling:
            session.acked.clear()
            session.sent(conversation, range(first, last + 1))
            return Verdict.SEND
        return old(session, conversation, first, last)

    change(stack, Session, "live", live)


@bug
def follow_after_reading(stack: ExitStack) -> None:
    """A conversation is heard only some time after its events were asked for."""

    def follow(old: Any, self: Connection, conversation: str) -> None:
        async def late() -> None:
            await asyncio.sleep(0.04)
            old(self, conversation)

        self.later(late())

    change(stack, Connection, "follow", follow)


@bug
def join_after_reading(stack: ExitStack) -> None:
    """A tab is announced to only after its list of conversations was read."""

    def enter(old: Any, self: VisitorConnection, actor: Any) -> None:
        self.actor, self.visitor_id, self.site_id = actor, actor.visitor_id, actor.site_id
        self.organisation_id = actor.organisation_id

    async def welcome(old: Any, self: VisitorConnection, *args: Any) -> Any:
        self.services.hub.join_visitor(self)
        return await old(self, *args)

    change(stack, VisitorConnection, "_enter", enter)
    change(stack, VisitorConnection, "_welcome", welcome)


@bug
def refused_frame_unnamed(stack: ExitStack) -> None:
    """A frame over the limit is refused without saying which."""

    def limited(old: Any, message: str, wait: int) -> Any:
        return old("", wait)

    change(stack, session, "_limited", limited)


@bug
def internal_event_leaked(stack: ExitStack) -> None:
    """Visitors are sent what agents are sent."""

    def wire_event(old: Any, envelope: Any, *, for_visitor: bool) -> bytes:
        return old(envelope, for_visitor=False)

    change(stack, hub, "wire_event", wire_event)


# The client.


@bug
def client_resume_off_by_one(stack: ExitStack) -> None:
    """The client claims one event more than it has."""

    def connected(old: Any, session: ClientLine, happened: Any) -> None:
        old(session, happened)
        for entry in session._effects[-1]["frame"]["resume"]:
            entry["last_seq"] += 1

    change(stack, ClientLine, "_connected", connected)


@bug
def client_drops_outbox_on_send(stack: ExitStack) -> None:
    """What was sent is taken for stored."""

    def due(old: Any, outbox: Outbox, now: float, pace: Pace) -> Any:
        frames = old(outbox, now, pace)
        for frame in frames:
            outbox.remove(frame["client_message_id"])
        return frames

    change(stack, Outbox, "due", due)


@bug
def client_new_id_on_retry(stack: ExitStack) -> None:
    """Each attempt after a lost connection makes a new id."""

    def renamed(item: Any) -> Any:
        if item["state"] != "sent":
            return item
        key = item["client_message_id"]
        return {**item, "client_message_id": key[:-4] + key[:-5:-1]}

    def unsend(old: Any, outbox: Outbox) -> None:
        outbox.items = list(map(renamed, outbox.items))
        old(outbox)

    change(stack, Outbox, "unsend", unsend)


@bug
def client_sends_all_at_once(stack: ExitStack) -> None:
    """Messages do not wait for the one before them."""

    def heads(_old: Any, outbox: Outbox) -> Any:
        return [item for item in outbox.items if item["state"] not in ("failed", "acked")]

    change(stack, Outbox, "_heads", heads)


@bug
def client_ignores_hole(stack: ExitStack) -> None:
    """Whatever is newer is shown."""

    def take(_old: Any, log: Log, events: Any) -> Any:
        ready = [event for event in events if event["seq"] > log.last]
        log.last = log.known = max([log.last, *(event["seq"] for event in ready)])
        return ready

    change(stack, Log, "take", take)


@bug
def client_shows_twice(stack: ExitStack) -> None:
    """What comes again is shown again."""

    def take(old: Any, log: Log, events: Any) -> Any:
        again = [event for event in events if event["seq"] <= log.last]
        return again + old(log, events)

    change(stack, Log, "take", take)


@bug
def client_gives_up_a_refused_resume(stack: ExitStack) -> None:
    """Where the server could not let us hear, we do not ask again."""
    change(stack, Log, "refuse", lambda *_: None)


@bug
def client_resets_on_old_resync(stack: ExitStack) -> None:
    """A resync that something newer has overtaken is taken for a restored backup."""

    def resynced(old: Any, client: ClientSession, frame: Any) -> None:
        if log := client.logs.get(frame["conversation"]):
            log.claim()
        old(client, frame)

    change(stack, ClientSession, "_resynced", resynced)


@bug
def client_knows_no_pace(stack: ExitStack) -> None:
    """A refusal holds back what was refused, and all else goes out at once."""
    change(stack, Pace, "slow_down", lambda *_: None)
    change(stack, Pace, "free_at", lambda *_: 0)


@bug
def outbox_lost_on_reload(stack: ExitStack) -> None:
    """Unsent messages go with the page."""

    def reload(old: Any, client: Client) -> None:
        client.kept = []
        old(client)

    change(stack, Client, "reload", reload)
