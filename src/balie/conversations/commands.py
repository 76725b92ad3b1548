"""The only writer of conversations: load → decide → append, in one transaction each, many to a sync."""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from balie.contacts.ledger import refuse_erased_id
from balie.conversations import marks, queries, rules
from balie.conversations.acts import AnyCommand, Identify, Note, Post
from balie.conversations.authors import author_key, author_of, former_key
from balie.conversations.model import Conversation, Side, StoredFile, files
from balie.kernel.actor import Actor, AgentActor, VisitorActor
from balie.kernel.errors import EmptyError, MalformedError, NotFoundError, TooLongError
from balie.kernel.events import (
    AnyPayload,
    ConversationStarted,
    File,
    MessagePosted,
    NotePosted,
    VisitorIdentified,
)
from balie.kernel.ids import milliseconds_of, parse_id
from balie.kernel.ports import Clock
from balie.kernel.visible import shows_something
from balie.store.engine import LogStore
from balie.store.log import Append, Appended, Touch
from balie.store.schema import cursor_of

MAX_TEXT = 16_000
MAX_FILES = 10

Done = Callable[[Appended[Conversation] | None, BaseException | None], None]


class ConversationCommands:
    """What can be done to conversations."""

    def __init__(self, store: LogStore[Conversation], clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def with_files(self, bare: Post, ids: Sequence[str]) -> Post:
        """The command with the files `ids` attached. Raises as `attach`."""
        if not ids:
            return bare
        attached = await self.attach(
            bare.actor, bare.conversation_id, ids, is_new=bare.opening is not None
        )
        message = MessagePosted(text=bare.message.text, files=attached)
        return msgspec.structs.replace(bare, message=message)

    def post_message_later(self, command: Post | Note, done: Done) -> None:
        """Say it; `done` is called in the event loop once it is on disk, or with the error.
        Raises BusyError when too much waits."""
        self._store.submit(self._append(command), done)

    async def run(self, command: AnyCommand) -> Appended[Conversation]:
        """Do it; returns when it is on disk. Raises what `decide` raises."""
        return await self._store.append(self._append(command))

    async def attach(
        self, actor: Actor, conversation_id: str, ids: Sequence[str], *, is_new: bool = False
    ) -> tuple[File, ...]:
        """Give files that `actor` brought to a conversation, in the order of `ids`; again is fine.

        Raises NotFoundError when one is missing, somebody else's, or in another conversation, and when
        there is no such conversation, unless it `is_new`: what belongs to none would lie here for ever.
        Raises TooLongError and MalformedError for too many, or the same twice.
        """
        if len(ids) > MAX_FILES:
            raise TooLongError(f"at most {MAX_FILES} files go with a message")
        if len(set(ids)) < len(ids):
            raise MalformedError("a file goes with a message once")
        authors = [key for key in (author_key(actor), former_key(actor)) if key]
        own = (files.c.id.in_(ids), files.c.author_id.in_(authors))

        def command(connection: Connection) -> tuple[File, ...]:
            if not is_new:
                queries.conversation(connection, actor, conversation_id)
            elif isinstance(actor, VisitorActor):
                refuse_erased_id(cursor_of(connection), actor.organisation_id, actor.visitor_id)
            connection.execute(
                update(files)
                .where(*own, files.c.conversation_id.is_(None))
                .values(conversation_id=conversation_id)
            )
            rows = connection.execute(
                select(files).where(*own, files.c.conversation_id == conversation_id)
            ).mappings()
            known = {row["id"]: _as_file(StoredFile(**row)) for row in rows}
            if missing := [each for each in ids if each not in known]:
                raise NotFoundError(f"no such file: {missing[0]}")
            return tuple(known[each] for each in ids)

        return await self._store.write(command, of=actor.organisation_id)

    async def keep_file(self, file: StoredFile, check: Callable[[Connection], None]) -> None:
        """Remember a file whose bytes are kept already. Raises what `check` raises, and then does not."""
        row = msgspec.structs.asdict(file)

        def command(connection: Connection) -> None:
            check(connection)
            connection.execute(files.insert().values(row))

        await self._store.write(command, of=file.organisation_id)

    async def hand_over(
        self, actor: VisitorActor, identity: VisitorIdentified, close_old: Callable[[], None]
    ) -> None:
        """What this visitor began, open or closed, belongs to whom he turned out to be. `close_old` ends the
        connections of his old id; what they had sent before is handed over as well."""
        await self._identify_all(actor, identity)
        close_old()
        # Whatever was queued until now stands in the store when this is written.
        await self._store.write(lambda _: None, of=actor.organisation_id)
        await self._identify_all(actor, identity)

    async def _identify_all(self, actor: VisitorActor, identity: VisitorIdentified) -> None:
        for state in await queries.find_own_conversations(self._store, actor):
            if state.visitor_id == actor.visitor_id:
                await self.run(Identify(actor=actor, conversation_id=state.id, identity=identity))

    def mark(self, actor: Actor, conversation_id: str, delivered: int, read: int) -> None:
        """Note how far a side has got and read; soft, never raises."""
        side: Side = "visitor" if isinstance(actor, VisitorActor) else "agent"

        def change(state: Conversation) -> Conversation | None:
            if not rules.may_reach(actor, state):
                return None
            return marks.marked(state, side, delivered, read)

        self._store.touch(Touch(actor.organisation_id, conversation_id, change))

    def _append(self, command: AnyCommand) -> Append[Conversation]:
        keyed = _keyed(command)
        return Append(
            organisation_id=command.actor.organisation_id,
            conversation_id=command.conversation_id,
            author=author_of(command.actor),
            at=self._clock(),
            decide=partial(_decide, command),
            client_message_id=keyed[0] if keyed else None,
            keyed=keyed[1] if keyed else None,
            former_key=former_key(command.actor) if keyed else None,
            admit=_admitting(command.actor),
        )


def _admitting(actor: Actor) -> Callable[[Any], None] | None:
    """Only visitors begin conversations, and none who was erased."""
    if not isinstance(actor, VisitorActor):
        return None
    return partial(
        refuse_erased_id, organisation_id=actor.organisation_id, visitor_id=actor.visitor_id
    )


def _decide(command: AnyCommand, state: Conversation | None) -> Sequence[AnyPayload]:
    return rules.decide(state, command)


def _as_file(file: StoredFile) -> File:
    return File(file.id, file.name, file.media_type, file.size, file.width, file.height)


def _keyed(command: AnyCommand) -> tuple[str, AnyPayload] | None:
    if isinstance(command, Post):
        return command.client_message_id, command.message
    if isinstance(command, Note):
        return command.client_message_id, command.note
    return None


def post(
    actor: Actor,
    conversation_id: str | None,
    client_message_id: str,
    text: str,
    *,
    with_files: bool = False,
    opening: ConversationStarted | None = None,
) -> Post:
    """A checked wish to say something; files are attached to it later. Without a conversation, the
    visitor's new one.

    Raises EmptyError, TooLongError or MalformedError.
    """
    checked_id, message = _checked_id(client_message_id), MessagePosted(text=_checked_text(text))
    if not with_files and not shows_something(text):
        raise EmptyError("there is no text that can be seen, and no file")
    return Post(
        actor=actor,
        conversation_id=conversation_id or new_conversation_id(actor, checked_id),
        client_message_id=checked_id,
        message=message,
        opening=opening if conversation_id is None else None,
    )


def note(actor: AgentActor, conversation_id: str, client_message_id: str, text: str) -> Note:
    """A checked wish to write down what only agents see. Raises as `post`."""
    written = NotePosted(text=_checked_text(text))
    if not shows_something(text):
        raise EmptyError("there is no text that can be seen")
    return Note(
        actor=actor,
        conversation_id=conversation_id,
        client_message_id=_checked_id(client_message_id),
        note=written,
    )


def new_conversation_id(actor: Actor, client_message_id: str) -> str:
    """The id of the conversation that this first message starts, and every repeat of it finds.

    Made of the site, the visitor (as he was before he proved who he is) and the message's id; sorts by the
    time that the latter carries.
    Raises MalformedError for anyone but a visitor, who alone starts conversations.
    """
    if not isinstance(actor, VisitorActor):
        raise MalformedError("name the conversation; only a visitor starts a new one")
    name = f"{actor.site_id}/{actor.former_id or actor.visitor_id}/{client_message_id}"
    tail = int.from_bytes(hashlib.sha256(name.encode()).digest()[:10])
    bits = milliseconds_of(client_message_id) << 80 | 0x7 << 76 | (tail >> 68 & 0xFFF) << 64
    digits = f"{bits | 0b10 << 62 | tail & ((1 << 62) - 1):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _checked_id(client_message_id: str) -> str:
    try:
        return parse_id(client_message_id)
    except ValueError as error:
        raise MalformedError(f"client_message_id: {error}") from None


def _checked_text(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise TooLongError(f"a text has at most {MAX_TEXT} characters; this one has {len(text)}")
    if "\0" in text:
        raise MalformedError("a text cannot hold the character U+0000")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise MalformedError("a text cannot hold half a surrogate pair") from None
    return text
