"""How the log names who acts."""

from balie.kernel.actor import Actor, AgentActor, VisitorActor
from balie.kernel.events import SYSTEM, Author


def author_of(actor: Actor) -> Author:
    """The author that `actor`'s events carry."""
    if isinstance(actor, VisitorActor):
        return Author(kind="visitor", id=actor.visitor_id)
    if isinstance(actor, AgentActor):
        return Author(kind="agent", id=actor.agent_id, name=actor.name, picture=actor.picture)
    return SYSTEM


def former_key(actor: Actor) -> str | None:
    """The author that a visitor was before he proved who he is; what he sent then may come again."""
    if not isinstance(actor, VisitorActor) or actor.former_id is None:
        return None
    return f"visitor:{actor.former_id}"


def author_key(actor: Actor) -> str:
    """The author as one string, `kind:id`; what a `client_message_id` and a file belong to."""
    author = author_of(actor)
    return f"{author.kind}:{author.id or ''}"
