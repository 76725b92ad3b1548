"""What survives a crash: the real writer and journal over SQLite in memory, or a quick model of them.

Both run the real jobs of `store.engine`, one batch to a transaction, and tell a process's loop afterwards.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pysqlite3.dbapi2 as driver
from sqlalchemy import create_engine, event, select, text
from sqlalchemy.pool import StaticPool

import balie.contacts.model
from balie.conversations.model import Conversation
from balie.conversations.projection import ConversationProjection
from balie.conversations.rules import evolve, may_reach
from balie.kernel.actor import Actor, VisitorActor
from balie.kernel.errors import ConflictError, NotFoundError, UnavailableError
from balie.kernel.events import Envelope, decode_author, decode_payload, encode
from balie.store import sqlite
from balie.store.engine import AppendJob, TouchJob, WriteJob
from balie.store.line import Line
from balie.store.log import Append, Appended, Touch
from balie.store.schema import events, metadata
from balie.store.writer import Outcome, Writer

assert balie.contacts.model  # its tables belong to the metadata


@dataclass
class Disk:
    """A log in memory. `conversations` holds each one's state; `keys` which event a message id names."""

    conversations: dict[str, Conversation] = field(default_factory=dict)
    events: dict[str, list[Envelope]] = field(default_factory=dict)
    keys: dict[tuple[str, str, str], Envelope] = field(default_factory=dict)

    def log(self) -> dict[str, list[Envelope]]:
        return self.events

    def state(self, conversation_id: str) -> Conversation | None:
        return self.conversations.get(conversation_id)

    def erase(self) -> None:
        self.__init__()

    def journal(self) -> "ModelJournal":
        return ModelJournal(self)


class ModelJournal:
    """Does to a Disk what the real journal does to SQLite."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.states: dict[str, Conversation] = {}
        self.rows: list[tuple[Append[Any], tuple[Envelope, ...]]] = []

    def append(self, append: Append[Conversation]) -> Appended[Conversation]:
        state = self.state(append.conversation_id)
        if append.client_message_id and (earlier := self.earlier(append)):
            assert state is not None
            return Appended(append.organisation_id, state, (earlier,), repeated=True)
        envelopes = self.number(append, state, append.decide(state))
        for envelope in envelopes:
            state = evolve(state, append.organisation_id, envelope)
        assert state is not None
        self.states[append.conversation_id] = state
        self.rows.append((append, envelopes))
        return Appended(append.organisation_id, state, envelopes)

    def state(self, conversation_id: str) -> Conversation | None:
        return self.states.get(conversation_id) or self.disk.conversations.get(conversation_id)

    def earlier(self, append: Append[Conversation]) -> Envelope | None:
        authors = [key for key in (append.author_key, append.former_key) if key]
        found = next(filter(None, (self.find(append, author) for author in authors)), None)
        if found is not None and encode(found.payload) != encode(append.keyed):
            raise ConflictError("this client_message_id was used with another content")
        return found

    def find(self, append: Append[Conversation], author: str) -> Envelope | None:
        key = (append.conversation_id, author, str(append.client_message_id))
        found = self.disk.keys.get(key)
        for other, envelopes in self.rows:
            if other.client_message_id and key_of(other) == key:
                found = envelopes[-1]
        return found

    def number(
        self, append: Append[Conversation], state: Conversation | None, payloads: Sequence[Any]
    ) -> tuple[Envelope, ...]:
        first = (state.last_seq if state else 0) + 1
        last = len(payloads) - 1
        return tuple(
            Envelope(
                append.conversation_id,
                first + index,
                append.at,
                append.author,
                payload,
                append.client_message_id if index == last else None,
            )
            for index, payload in enumerate(payloads)
        )

    def touch(self, touch: Touch[Conversation]) -> Conversation | None:
        state = self.state(touch.conversation_id)
        changed = touch.change(state) if state is not None else None
        if changed is not None:
            self.states[touch.conversation_id] = changed
        return changed

    def commit(self) -> None:
        for append, envelopes in self.rows:
            self.disk.events.setdefault(append.conversation_id, []).extend(envelopes)
            if append.client_message_id:
                self.disk.keys[key_of(append)] = envelopes[-1]
        self.disk.conversations.update(self.states)
        self.forget()

    def forget(self) -> None:
        self.states.clear()
        self.rows.clear()


def key_of(append: Append[Any]) -> tuple[str, str, str]:
    return append.conversation_id, append.author_key, str(append.client_message_id)


class ModelWriter:
    """Runs a batch of jobs on a Disk as one transaction."""

    def __init__(self, disk: Disk) -> None:
        self.journal = disk.journal()
        self.jobs: list[Any] = []

    def submit(self, job: Any) -> None:
        self.jobs.append(job)

    def take(self) -> list[Any]:
        jobs, self.jobs = self.jobs, []
        return jobs

    def commit(self, batch: list[Any], *, fails: bool) -> list[Outcome]:
        outcomes = [self.attempt(job) for job in batch]
        if not fails:
            self.journal.commit()
            return outcomes
        self.journal.forget()
        error = UnavailableError("the store cannot write now; nothing was stored")
        return [(job.done, None, error) for job in batch]

    def attempt(self, job: Any) -> Outcome:
        try:
            return job.done, job.run(None, self.journal), None
        except Exception as error:  # noqa: BLE001 - the caller is told
            return job.done, None, error


class FailingConnection(driver.Connection):
    """A connection whose commits fail while its file says so."""

    file: "File"

    def commit(self) -> None:
        if self.file.fails:
            raise driver.OperationalError("disk I/O error")
        super().commit()


class File:
    """A database file in memory, with the real journal and the real writer upon it."""

    def __init__(self) -> None:
        sqlite.refuse_unsafe(driver.sqlite_version_info)
        self.fails = False
        self.engine = create_engine(
            "sqlite+pysqlite://",
            module=driver,
            connect_args={
                "isolation_level": None,
                "check_same_thread": False,
                "factory": self._connection,
            },
            poolclass=StaticPool,
        )
        event.listen(self.engine, "begin", sqlite._begin)
        metadata.create_all(self.engine)

    def _connection(self, *args: Any, **how: Any) -> Any:
        connection = FailingConnection(*args, **how)
        connection.file = self
        return connection

    def erase(self) -> None:
        self.fails = False
        with self.engine.begin() as connection:
            for table in metadata.tables.values():
                connection.execute(text(f"DELETE FROM {table.name}"))

    def log(self) -> dict[str, list[Envelope]]:
        logs: dict[str, list[Envelope]] = {}
        query = select(events).order_by(events.c.position)
        with self.engine.begin() as connection:
            for row in connection.execute(query).mappings():
                logs.setdefault(row["conversation_id"], []).append(
                    Envelope(
                        row["conversation_id"],
                        row["seq"],
                        row["at"],
                        decode_author(row["author"]),
                        decode_payload(row["payload"]),
                        row["client_message_id"],
                    )
                )
        return logs

    def state(self, conversation_id: str) -> Conversation | None:
        with self.engine.begin() as connection:
            raw = connection.connection.driver_connection
            return ConversationProjection().load(raw.cursor(), conversation_id)


class FileWriter:
    """The writer that ships, without its thread."""

    def __init__(self, file: File) -> None:
        self.file = file
        driver = sqlite.SqliteDriver(file.engine, file.engine)
        self.journal = driver.journal(ConversationProjection())
        self.writer = Writer(driver, self.journal, lambda _: None)
        self.line = Line(file.engine)

    @property
    def jobs(self) -> int:
        return self.writer._jobs.qsize()

    def submit(self, job: Any) -> None:
        self.writer.submit(job)

    def take(self) -> list[Any]:
        return self.writer._gather(self.writer._jobs.get()) if self.jobs else []

    def commit(self, batch: list[Any], *, fails: bool) -> list[Outcome]:
        self.file.fails = fails
        try:
            return self.writer._commit(batch, self.line)
        finally:
            self.file.fails = False


class Store:
    """The store as the rest of the house sees it, inside one process, in simulated time.

    `between` gives the milliseconds that a step takes, up to as many, `slowest` is as long as a read may wait
    at each end; `fails` says whether a read or a commit does.
    """

    def __init__(
        self,
        disk: Any,
        process: Any,
        between: Callable[[int], float],
        fails: Callable[[], bool],
        slowest: int,
    ) -> None:
        self.disk = disk
        self.process = process
        self.between = between
        self.fails = fails
        self.slowest = slowest
        self.writer = FileWriter(disk) if isinstance(disk, File) else ModelWriter(disk)
        self.on_appended: Callable[[Any], None] = lambda _: None
        self.on_touched: Callable[[Any], None] = lambda _: None
        self.writing = False
        self.told_at = 0.0

    # As LogStore has them.

    def submit(self, append: Append[Conversation], done: Any) -> None:
        self.queue(AppendJob(append, done, self.on_appended))

    async def append(self, append: Append[Conversation]) -> Appended[Conversation]:
        future = self.process.create_future()
        self.submit(append, settle(future))
        return await future

    def touch(self, touch: Touch[Conversation]) -> None:
        self.queue(TouchJob(touch, self.on_touched))

    async def write(self, command: Callable[[Any], Any], *, of: str) -> Any:
        future = self.process.create_future()
        self.queue(WriteJob(command, of, settle(future)))
        return await future

    async def read(self, query: Callable[[Any], Any], *, of: str) -> Any:
        assert of, "whose rows?"
        # Another thread reads: what it saw may be old by the time the loop hears of it.
        await self.pause()
        if self.fails():
            raise UnavailableError("the store cannot read now")
        if isinstance(self.disk, File):
            with self.disk.engine.begin() as connection:
                found = query(connection)
        else:
            found = query(self.disk)
        await self.pause()
        return found

    async def pause(self) -> None:
        await asyncio.sleep(self.between(self.slowest) / 1_000)

    # The writer's thread.

    def queue(self, job: Any) -> None:
        self.writer.submit(job)
        if not self.writing:
            self.writing = True
            self.later(10, self.commit)

    def later(self, most: int, act: Callable[..., Any], *args: Any) -> None:
        self.process.call_later(self.between(most) / 1_000, act, *args)

    def commit(self) -> None:
        batch = self.writer.take()
        if not batch:
            self.writing = False
            return
        outcomes = self.writer.commit(batch, fails=self.fails())
        self.deliver(outcomes)
        self.later(10, self.commit)

    def deliver(self, outcomes: list[Outcome]) -> None:
        """The loop hears of it a moment later, in order; a crash may come between."""
        now = self.process.time()
        self.told_at = max(self.told_at, now + self.between(8) / 1_000)
        self.process.call_later(self.told_at - now, self.tell, outcomes)

    def tell(self, outcomes: list[Outcome]) -> None:
        for done, result, error in outcomes:
            done(result, error)


def settle(future: Any) -> Any:
    def done(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    return done


# Reads of the model, in place of the SQL of `conversations.queries`.


def own_conversations(disk: Disk, actor: VisitorActor) -> list[Conversation]:
    return [state for state in disk.conversations.values() if may_reach(actor, state)]


def events_of(
    disk: Disk, actor: Actor, conversation_id: str
) -> tuple[Conversation, list[Envelope]]:
    state = disk.conversations.get(conversation_id)
    if state is None or not may_reach(actor, state):
        raise NotFoundError("no such conversation")
    return state, disk.events[conversation_id]
