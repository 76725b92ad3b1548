"""A store with as many messages as a shop has after years, in minutes.

A few hundred conversations are thought up and folded by the product's own rules; each then stands in the store
many times, with ids, people and times of its own, through the statements by which the product writes (on
PostgreSQL by COPY). Fifty run at once, so that those of one hour lie in one another's pages, as in life.
"""

import json
import random
import time
from itertools import count

import msgspec
import psycopg

from balie.conversations import projection, rules
from balie.conversations.model import Conversation
from balie.kernel import events as happened
from balie.kernel.events import AgentName, Author, Envelope, encode
from balie.store import sqlite
from balie.store.journal import _NAMES as EVENT_COLUMNS
from balie.store.journal import INSERT

TALKS = 400
SIDE_BY_SIDE = 50
OPEN = 200
"""Conversations that somebody still works on: as many as the desk can hold, however much was said before."""
DAYS = 60
MEDIAN, SPREAD, LONGEST = 12, 1.0, 400
"""Messages of one conversation: a lognormal distribution, some 19 on average."""
WORDS = (
    "hello",
    "order",
    "kettle",
    "parcel",
    "blue",
    "size",
    "return",
    "week",
    "address",
    "street",
    "thanks",
)
LABELS = ("return", "late", "invoice", "praise", "warranty\nreturn", "late\nparcel", "size")
VISITOR = "00000000-0000-7000-8000-000000000000"
PAGES = ("/", "/kettles/blue", "/cart", "/help/returns")


class Talk(msgspec.Struct, frozen=True):
    """One conversation to be copied: `said` as (milliseconds since it began, author, payload, has an id)."""

    said: list[tuple[int, str, str, bool]]
    state: Conversation
    messages: int


class Plan(msgspec.Struct, frozen=True):
    """Whose conversations they are; `agents` as (id, name)."""

    organisation: str
    site: str
    agents: list[tuple[str, str]]
    messages: int


def fill_sqlite(path, plan):
    """Fill the file at `path`. Returns how many conversations and messages there are."""
    line = sqlite.driver().connect(str(path), isolation_level=None)
    line.execute("PRAGMA synchronous=OFF")
    line.execute("PRAGMA cache_size=-200000")
    columns = projection.COLUMNS
    conversation = (
        f"INSERT INTO conversations ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    )
    filled = Filled()
    for visitors, states, events in _batches(plan, filled):
        line.execute("BEGIN IMMEDIATE")
        line.executemany(_VISITOR, visitors)
        line.executemany(conversation, states)
        line.executemany(INSERT.each, events)
        line.execute("COMMIT")
    line.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    line.close()
    return filled


def fill_postgres(url, plan):
    """Fill the database at `url`, as a role that passes by row-level security."""
    tables = (
        ("visitors", _VISITOR_COLUMNS),
        ("conversations", projection.COLUMNS),
        ("events", EVENT_COLUMNS),
    )
    filled = Filled()
    with psycopg.connect(url, autocommit=True) as line:
        for batch in _batches(plan, filled):
            with line.transaction():
                for (table, columns), rows in zip(tables, batch, strict=True):
                    _copy(line, table, columns, rows)
        line.execute("VACUUM (ANALYZE)")
        line.execute("CHECKPOINT")
    return filled


def _copy(line, table, columns, rows):
    with line.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as target:
        for row in rows:
            target.write_row(row)


class Filled:
    """What there is by now."""

    def __init__(self):
        self.conversations = self.messages = 0


_VISITOR_COLUMNS = ("id", "organisation_id", "site_id", "created_at", "verified", "time_zone", "device",
                    "browser", "system")  # fmt: skip
_VISITOR = (
    f"INSERT INTO visitors ({', '.join(_VISITOR_COLUMNS)})"
    f" VALUES ({', '.join('?' * len(_VISITOR_COLUMNS))})"
)


def _batches(plan, filled):
    """Visitors, conversations and events, each as rows, of SIDE_BY_SIDE conversations at a time; the latest
    OPEN ones are open."""
    chance = random.Random(plan.messages)
    talks = [_talk(chance, plan, number) for number in range(TALKS)]
    drawn = []
    while sum(each.messages for each in drawn) < plan.messages:
        drawn += chance.sample(talks, min(TALKS, 1 + (plan.messages // 200)))
    began = time.time_ns() // 1_000_000 - DAYS * 86_400_000
    step = DAYS * 86_400_000 * 0.98 / len(drawn)
    for first in range(0, len(drawn), SIDE_BY_SIDE):
        group = []
        for number, talk in enumerate(drawn[first : first + SIDE_BY_SIDE], first):
            is_open = len(drawn) - number <= OPEN
            group.append(_copied(chance, plan, talk, began + int(number * step), number, is_open))
            filled.conversations += 1
            filled.messages += talk.messages
        yield _rows(group)


def _rows(group):
    visitors, states, said = [], [], []
    for visitor, state, events in group:
        visitors.append(visitor)
        states.append(projection.to_row(state))
        said += events
    # In the order of time, as they would have come.
    said.sort(key=lambda row: row[3])
    return visitors, states, said


def _copied(chance, plan, talk, at, number, is_open):
    """One conversation that began at `at`: its visitor's row, its state and its events."""
    key, visitor = _id(chance, at), _id(chance, at)
    events = []
    for seq, (later, author, payload, has_id) in enumerate(talk.said, 1):
        moment = at + later
        own = '"kind":"visitor"' in author
        author_key = f"visitor:{visitor}" if own else f"agent:{json.loads(author)['id']}"
        events.append((
            plan.organisation, key, seq, moment, author_key,
            author.replace(VISITOR, visitor) if own else author,
            _id(chance, moment) if has_id else None, payload,
        ))  # fmt: skip
    state = _as_of(talk.state, key, visitor, at)
    if is_open:
        events, state = _reopened(plan, events, number)
    row = (
        visitor,
        plan.organisation,
        plan.site,
        at,
        False,
        "Europe/Amsterdam",
        "desktop",
        "Firefox",
        "Linux",
    )
    return row, state, events


def _as_of(state, key, visitor, at):
    return msgspec.structs.replace(
        state,
        id=key,
        visitor_id=visitor,
        started_at=at,
        updated_at=at + state.updated_at,
        closed_at=at + state.closed_at,
        message_at=at + state.message_at,
    )


def _reopened(plan, events, number):
    """Not closed yet: some wait, some are the first agent's, the others their colleagues'."""
    events = events[:-1]
    agent = (None, *plan.agents)[number % (len(plan.agents) + 1)]
    if agent is None:
        # Nobody took it: the event that says so goes as well, and its number is given to what follows.
        events = [each for each in events if '"conversation.assigned"' not in each[-1]]
        events = [(*each[:2], seq, *each[3:]) for seq, each in enumerate(events, 1)]
    return events, _folded(plan, events)


def _folded(plan, events):
    state = None
    for _, key, seq, at, _, author, message_id, payload in events:
        envelope = Envelope(
            key,
            seq,
            at,
            happened.decode_author(author),
            happened.decode_payload(payload),
            message_id,
        )
        state = rules.evolve(state, plan.organisation, envelope)
    return state


def _talk(chance, plan, number):
    length = min(LONGEST, max(2, round(MEDIAN * chance.lognormvariate(0, SPREAD))))
    agent = AgentName(*plan.agents[number % len(plan.agents)])
    visitor, staff = Author("visitor", VISITOR), Author("agent", agent.id, agent.name)
    page = happened.Page(f"https://shop.example{chance.choice(PAGES)}", "Kettles")
    said = [
        (visitor, happened.ConversationStarted(site=plan.site, language="en", page=page), False)
    ]
    for message in range(length):
        if message == 1:
            said.append((staff, happened.ConversationAssigned(agent), False))
        author = visitor if message == 0 or chance.random() < 0.5 else staff
        said.append((author, happened.MessagePosted(_text(chance)), True))
        if chance.random() < 0.1:
            viewed = happened.PageViewed(f"https://shop.example{chance.choice(PAGES)}", "Kettles")
            said.append((visitor, viewed, False))
    if number % 3 == 0:
        tag = chance.choice(LABELS)
        said += [(staff, happened.ConversationTagged(each), False) for each in tag.split("\n")]
    said.append((staff, happened.ConversationClosed("agent"), False))
    later = count(0, 45_000)
    rows = [
        (next(later), encode(author).decode(), encode(payload).decode(), has_id)
        for author, payload, has_id in said
    ]
    events = [
        (plan.organisation, VISITOR, seq, at, "", author, None, payload)
        for seq, (at, author, payload, _) in enumerate(rows, 1)
    ]
    state = msgspec.structs.replace(_folded(plan, events), waiting_since=None)
    return Talk(rows, state, length)


def _text(chance):
    return " ".join(chance.choices(WORDS, k=chance.randint(3, 40))).capitalize() + "."


def _id(chance, ms):
    """A UUIDv7 of that moment."""
    tail = f"{chance.getrandbits(72):018x}"
    head = f"{ms:012x}"
    return f"{head[:8]}-{head[8:]}-7{tail[:3]}-8{tail[3:6]}-{tail[6:]}"
