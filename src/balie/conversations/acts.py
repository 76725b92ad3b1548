"""What may be asked of a conversation. What comes of it, `rules.decide` says."""

import msgspec

from balie.kernel import events as happened
from balie.kernel.actor import Actor
from balie.kernel.events import AgentName


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Something that `actor` wants to happen in the conversation `conversation_id`."""

    actor: Actor
    conversation_id: str


class Post(Command, frozen=True, kw_only=True):
    """Say something. `opening` starts the conversation when there is none yet."""

    client_message_id: str
    message: happened.MessagePosted
    opening: happened.ConversationStarted | None = None


class Note(Command, frozen=True, kw_only=True):
    """Write down what only agents see."""

    client_message_id: str
    note: happened.NotePosted


class Take(Command, frozen=True, kw_only=True):
    """Make `agent` the one who answers. `taken_from` names whose it may be taken from."""

    agent: AgentName
    taken_from: str | None = None


class Release(Command, frozen=True, kw_only=True):
    """Put it back for whoever is free."""


class Close(Command, frozen=True, kw_only=True):
    """Nothing more is to be done."""


class Reopen(Command, frozen=True, kw_only=True):
    """Something is to be done after all."""


class Rate(Command, frozen=True, kw_only=True):
    """What the visitor thinks of it."""

    rating: happened.ConversationRated


class Tag(Command, frozen=True, kw_only=True):
    tag: str


class Untag(Command, frozen=True, kw_only=True):
    tag: str


class Identify(Command, frozen=True, kw_only=True):
    """The visitor says, or has proved, who he is."""

    identity: happened.VisitorIdentified


class See(Command, frozen=True, kw_only=True):
    """The visitor looks at another page."""

    page: happened.PageViewed


class Describe(Command, frozen=True, kw_only=True):
    """The site's page says something of its visitor."""

    described: happened.VisitorDescribed


class Track(Command, frozen=True, kw_only=True):
    """The site's page says that something happened."""

    tracked: happened.EventTracked


AnyCommand = (
    Post
    | Note
    | Take
    | Release
    | Close
    | Reopen
    | Rate
    | Tag
    | Untag
    | Identify
    | See
    | Describe
    | Track
)
