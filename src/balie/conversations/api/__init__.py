"""The doors of conversations over HTTP: for visitors, for agents, and for the files of both."""

from litestar import Router
from litestar.di import Provide

from balie.conversations.api import agents, files, reading, visitors
from balie.conversations.api.services import ConversationServices


def routes(services: ConversationServices) -> Router:
    """The routes of this room."""
    return Router(
        path="/api/v1",
        route_handlers=[*reading.HANDLERS, *visitors.HANDLERS, *agents.HANDLERS, *files.HANDLERS],
        dependencies={"services": Provide(lambda: services, sync_to_thread=False)},
        tags=["conversations"],
    )
