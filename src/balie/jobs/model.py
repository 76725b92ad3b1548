"""Jobs, and the table they wait in."""

import base64
import hashlib
from typing import Literal

import msgspec
from sqlalchemy import Column, Index, Table, UniqueConstraint, text

from balie.store.schema import Number, Words, metadata

State = Literal["waiting", "leased", "done", "dead", "gone"]
"""`gone`: what it was about is no more. The last three have ended."""


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done. `key` names it within its queue: the same key again is the same job.

    Jobs of one `lane` are done a few at a time, so that what is slow holds up only itself. `subject` is the
    conversation that it is about: who is erased takes his jobs with him. `payload` is JSON and names things;
    what people wrote is read when the job is done.
    """

    organisation_id: str
    queue: str
    key: str
    lane: str
    subject: str = ""
    payload: str = "{}"

    @property
    def id(self) -> str:
        """Made of what it is, so that it is the same however often it is made."""
        digest = hashlib.sha256(f"{self.queue}\n{self.key}".encode()).digest()
        return "job_" + base64.b32encode(digest[:20]).decode().lower()


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an attempt ended, without a word of what was said: a short code, an HTTP status where there was one,
    and how long it took in milliseconds."""

    code: str = ""
    status: int | None = None
    milliseconds: int = 0


class Standing(msgspec.Struct, frozen=True):
    """How much there is to do: jobs that wait or are being done, those that were given up and are kept, and
    for how many milliseconds the oldest that could be done has waited."""

    waiting: int = 0
    dead: int = 0
    oldest_ms: int = 0


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it stands. `due_at` is when it may be leased; of one that is, when its lease runs out. `fence`
    grows with every lease: who holds an older one holds nothing."""

    id: str
    organisation_id: str
    queue: str
    lane: str
    subject: str
    payload: str
    state: State
    due_at: int
    attempts: int
    fence: int
    result: Result
    created_at: int
    ended_at: int | None


_LIVE = text("ended_at IS NULL")
_ENDED = text("ended_at IS NOT NULL")

jobs = Table(
    "jobs",
    metadata,
    Column("organisation_id", Words, nullable=False),
    Column("id", Words, primary_key=True),
    Column("queue", Words, nullable=False),
    Column("key", Words, nullable=False),
    Column("lane", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("payload", Words, nullable=False),  # JSON, as is `result`
    Column("state", Words, nullable=False),
    Column("due_at", Number, nullable=False),
    Column("attempts", Number, nullable=False),
    Column("fence", Number, nullable=False),
    Column("result", Words, nullable=False),
    Column("created_at", Number, nullable=False),
    Column("ended_at", Number),
    UniqueConstraint("queue", "key", name="uq_jobs_key"),
    Index("ix_jobs_due", "lane", "due_at", sqlite_where=_LIVE, postgresql_where=_LIVE),
    Index("ix_jobs_ended", "ended_at", sqlite_where=_ENDED, postgresql_where=_ENDED),
    Index("ix_jobs_lane", "organisation_id", "lane", "created_at", "id"),
    Index("ix_jobs_subject", "subject"),
)
