"""Whether every conversation's log is whole, and its row says what the log adds up to."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from balie.app.operations.findings import Findings
from balie.app.operations.hashing import RowSum, digest_of, encoded
from balie.app.operations.log_marks import Marks
from balie.app.operations.snapshots import Progress, snapshot
from balie.conversations import rules
from balie.conversations.commands import new_conversation_id
from balie.conversations.model import Conversation
from balie.conversations.projection import COLUMNS, from_row, to_row
from balie.kernel.actor import VisitorActor
from balie.kernel.events import (
    Envelope,
    MessagePosted,
    decode_author,
    decode_payload,
)
from balie.store.bulk import without_nul
from balie.store.driver import Driver
from balie.store.schema import cursor_of
from balie.store.scope import NOBODY

CONVERSATIONS = 400
"""At most so many in one snapshot,"""
EVENTS = 10_000
"""and about so many events, unless one conversation has more."""

_PAGE = (
    f"SELECT {', '.join(COLUMNS)} FROM conversations WHERE id > ? ORDER BY id LIMIT {CONVERSATIONS}"  # noqa: S608 - own names
)
_TOTAL = "SELECT coalesce(sum(last_seq), 0) FROM conversations"
_HALF_GONE = {f"visitor_{mark}" for mark in ("delivered", "read", "unread")} | {
    f"agent_{mark}" for mark in ("delivered", "read", "unread")
}
_DERIVED = tuple(index for index, name in enumerate(COLUMNS) if name not in _HALF_GONE)
"""All that the log alone decides: marks are kept beside it."""

Row = Sequence[Any]


class LogCheck:
    """Walks all conversations, a page to a snapshot. `marks` are of an earlier walk, or none."""

    def __init__(self, findings: Findings, marks: Marks) -> None:
        self._findings = findings
        self._old_marks = marks
        self.marks: dict[str, tuple[int, str]] = {}
        self.log: dict[str, RowSum] = {}
        """By organisation: its conversations, each by the hash of its whole log."""
        self.events: dict[str, int] = {}
        self.rows = RowSum()
        """The rows of conversations."""
        self.gone = 0
        """Marks of conversations that are no more, by an erasure or because of their age."""
        self._first: dict[tuple[str, str, str], str] = {}
        self._files: set[str] = set()

    def run(self, driver: Driver, progress: Progress) -> None:
        """Check them all."""
        with snapshot(driver) as connection:
            total = int(cursor_of(connection).execute(_TOTAL).fetchone()[0])
        after, done, more = "", 0, True
        while more:
            with snapshot(driver) as connection:
                after, events, more = self._check_page(connection, after)
            done += events
            progress(min(done, total), total)
        self.gone = len(self._old_marks.keys() - self.marks.keys())

    def _check_page(self, connection: Connection, after: str) -> tuple[str, int, bool]:
        rows = cursor_of(connection).execute(_PAGE, (after,)).fetchall()
        page = _within(rows)
        ids = [row[0] for row in page]
        self._files = _files_of(connection, ids)
        logs = _logs_of(connection, ids)
        count = 0
        for row in page:
            count += self._check_one(row, logs.get(row[0], []))
        if page and not page[-1][0] > after:
            self._findings.add("order", page[-1][0], "conversations do not come in their order")
            return after, count, False
        return (page[-1][0] if page else after), count, bool(page)

    def _check_one(self, row: Row, log: Sequence[Row]) -> int:
        self.rows.add(digest_of(row))
        if row[1] == NOBODY:
            # A large one that is being deleted in pieces.
            return len(log)
        try:
            self._follow(row, log)
        except Exception as error:  # noqa: BLE001 - whatever a damaged row leads to
            self._findings.add(
                "unreadable", f"conversation {row[0]}", f"cannot be read ({error!r})"
            )
        return len(log)

    def _follow(self, row: Row, log: Sequence[Row]) -> None:
        state, told, said = None, hashlib.sha256(), set()
        key = str(row[0])
        for expected, event in enumerate(log, 1):
            _, organisation_id, seq, at, author_id, author, message_id, payload = event
            if seq != expected:
                self._findings.add("hole", f"conversation {key}", f"{seq} follows {expected - 1}")
                return
            if organisation_id != row[1]:
                self._findings.add("owner", f"conversation {key}", f"event {seq} is another's")
            if message_id is not None and (author_id, message_id) in said:
                self._findings.add("twice", f"conversation {key}", f"event {seq} was said before")
            said.add((author_id, message_id))
            told.update(encoded(event[2:]))
            self._compare_with_mark(key, seq, told.hexdigest())
            envelope = Envelope(
                key, seq, at, decode_author(author), decode_payload(payload), message_id
            )
            self._check_first(row, envelope)
            self._check_files(envelope)
            state = rules.evolve(state, organisation_id, envelope)
        self._note(row, len(log), told)
        self._compare(row, state)

    def _note(self, row: Row, events: int, told: Any) -> None:
        organisation_id = str(row[1])
        self.log.setdefault(organisation_id, RowSum()).add(told.digest())
        self.events[organisation_id] = self.events.get(organisation_id, 0) + events
        self.marks[str(row[0])] = (events, told.hexdigest())
        if str(row[0]) in self._old_marks and self._old_marks[str(row[0])][0] > events:
            self._findings.add("changed", f"conversation {row[0]}", "its log has become shorter")

    def _compare_with_mark(self, key: str, seq: int, told: str) -> None:
        mark = self._old_marks.get(key)
        if mark is not None and mark[0] == seq and mark[1] != told:
            self._findings.add("changed", f"conversation {key}", f"events up to {seq} were changed")

    def _check_first(self, row: Row, envelope: Envelope) -> None:
        """A first message begins one conversation: its id is made of it, or else nobody else's is the same."""
        if envelope.seq != 2 or envelope.client_message_id is None:
            return
        site_id, visitor_id = str(row[COLUMNS.index("site_id")]), envelope.author.id or ""
        actor = VisitorActor(
            organisation_id=str(row[1]), site_id=site_id, visitor_id=visitor_id, contact_id=None
        )
        derived = new_conversation_id(actor, envelope.client_message_id)
        if derived == row[0]:
            return
        first = (site_id, visitor_id, envelope.client_message_id)
        if (earlier := self._first.setdefault(first, str(row[0]))) != row[0]:
            self._findings.add("twice", f"conversation {row[0]}", f"begins as {earlier} does")

    def _check_files(self, envelope: Envelope) -> None:
        if isinstance(envelope.payload, MessagePosted):
            for file in envelope.payload.files:
                if file.id not in self._files:
                    where = f"conversation {envelope.conversation_id}"
                    self._findings.add(
                        "file", where, f"event {envelope.seq} names {file.id}, which has no row"
                    )

    def _compare(self, row: Row, state: Conversation | None) -> None:
        where = f"conversation {row[0]}"
        if state is None:
            self._findings.add("empty", where, "it has a row and no events")
            return
        kept, added_up = to_row(from_row(row)), to_row(state)
        wrong = [COLUMNS[i] for i in _DERIVED if _text(kept[i]) != _text(added_up[i])]
        if wrong:
            self._findings.add("row", where, f"its row differs from its log in {', '.join(wrong)}")
        of = from_row(row)
        for read, delivered in (
            (of.visitor_read, of.visitor_delivered),
            (of.agent_read, of.agent_delivered),
        ):
            if not 0 <= read <= delivered <= of.last_seq:
                self._findings.add("row", where, "somebody has read more than there is")


def _within(rows: Sequence[Row]) -> Sequence[Row]:
    """As many as have EVENTS together, at least one."""
    last_seq, weight = COLUMNS.index("last_seq"), 0
    for number, row in enumerate(rows):
        weight += row[last_seq] if isinstance(row[last_seq], int) else 0
        if weight > EVENTS and number:
            return rows[:number]
    return rows


def _logs_of(connection: Connection, ids: Sequence[str]) -> dict[str, list[Row]]:
    return {
        key: list(rows)
        for some in _chunks(ids)
        for key, rows in groupby(_events_of(connection, some), itemgetter(0))
    }


def _events_of(connection: Connection, ids: Sequence[str]) -> Iterable[Row]:
    marks = ", ".join("?" * len(ids))
    found: Iterable[Row] = cursor_of(connection).execute(
        "SELECT conversation_id, organisation_id, seq, at, author_id, author, client_message_id,"  # noqa: S608 - marks
        f" payload FROM events WHERE conversation_id IN ({marks}) ORDER BY conversation_id, seq",
        tuple(ids),
    )
    return found


def _files_of(connection: Connection, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for some in _chunks(ids):
        marks = ", ".join("?" * len(some))
        rows = cursor_of(connection).execute(
            f"SELECT id FROM files WHERE conversation_id IN ({marks})",  # noqa: S608 - marks
            tuple(some),
        )
        found.update(row[0] for row in rows)
    return found


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), 200):
        yield ids[start : start + 200]


def _text(value: Any) -> Any:
    return without_nul(value) if isinstance(value, str) else value
