"""Who asks: a port for those who know, the session cookie, and the gate that every request goes through."""

from collections.abc import Sequence
from typing import Any, Protocol

from litestar.connection import ASGIConnection, Request
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler

from balie.edge.cross_origin import Pages, origin_of, refuse_foreign_page
from balie.edge.limits import client_address
from balie.edge.origins import SAFE_METHODS, refuse_foreign, same_origin
from balie.edge.policy import Policy, require
from balie.edge.settings import EdgeSettings
from balie.kernel.actor import Actor, AgentActor, VisitorActor
from balie.kernel.errors import ForbiddenError, NotFoundError, UnauthorisedError

Connection = ASGIConnection[Any, Any, Any, Any]

JSON_TYPES = ("application/json",)


class Authenticator(Protocol):
    """Knows one kind of people by what their connection carries."""

    async def __call__(self, connection: Connection) -> Actor | None:
        """Who this is, or None for somebody unknown."""
        ...


def cookie_name(settings: EdgeSettings) -> str:
    """`__Host-` binds the cookie to this very host and to https; plain loopback http cannot have it."""
    return "__Host-balie" if settings.secure else "balie"


def session_cookie(settings: EdgeSettings, token: str, max_age: int) -> Cookie:
    """The cookie that carries a session's token for `max_age` seconds; 0 removes it."""
    return Cookie(
        key=cookie_name(settings),
        value=token,
        path="/",
        max_age=max_age,
        secure=settings.secure,
        httponly=True,
        samesite="strict",
    )


def session_token(connection: Connection, settings: EdgeSettings) -> str | None:
    """The token in the session cookie. A request that names another credential never uses the cookie."""
    if "authorization" in connection.headers:
        return None
    return connection.cookies.get(cookie_name(settings)) or None


def bearer_token(connection: Connection) -> str | None:
    """The token of `Authorization: Bearer TOKEN`."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def address_of(connection: Connection, settings: EdgeSettings) -> str:
    """The client's address, past the proxies that Balie trusts."""
    peer = connection.client.host if connection.client else ""
    # A header that comes twice is one list (RFC 9110, section 5.3).
    hops = ", ".join(connection.headers.getall("x-forwarded-for", []))
    return client_address(peer, hops, settings.trusted_proxies)


class Gate:
    """The guard before every route: origin, kind of body, who asks, and whether he may.

    A route's `opt` says what it takes: `policy` (always), `body="raw"` for other bodies than JSON, and
    `origin="any"` for an unsafe public route that pages of other sites may call.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        authenticators: Sequence[Authenticator],
        pages: Pages | None = None,
    ) -> None:
        self._settings = settings
        self._authenticators = tuple(authenticators)
        self._pages = pages

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        if _method(connection) == "OPTIONS":
            return
        _refuse_other_spelling(connection)
        policy: Policy = handler.opt["policy"]
        self._refuse_foreign(connection, policy, handler)
        _refuse_other_bodies(connection, handler)
        if policy is Policy.PUBLIC:
            return
        if policy is Policy.OPERATOR and self._settings.is_operator(bearer_token(connection)):
            return
        actor = await self.identify(connection)
        require(policy, actor)
        if isinstance(actor, VisitorActor):
            await self._refuse_foreign_page(connection, actor)
        connection.scope["user"] = actor

    async def identify(self, connection: Connection) -> Actor | None:
        """The first answer that any authenticator gives."""
        for authenticate in self._authenticators:
            actor = await authenticate(connection)
            if actor is not None:
                return actor
        return None

    def _refuse_foreign(
        self, connection: Connection, policy: Policy, handler: BaseRouteHandler
    ) -> None:
        headers, origin = connection.headers, origin_of(connection.scope)
        if handler.opt.get("origin") == "any":
            return
        if policy in (Policy.VISITOR, Policy.SIGNED_IN) and "authorization" in headers:
            # A visitor's token; whether its site has this page is asked when it is known whose it is.
            return
        own = self._settings.origins
        refuse_foreign(_method(connection), origin, headers.get("sec-fetch-site"), own)

    async def _refuse_foreign_page(self, connection: Connection, actor: VisitorActor) -> None:
        origin = origin_of(connection.scope)
        if same_origin(origin, self._settings.origins):
            return
        if self._pages is None and origin:
            raise ForbiddenError("pages of other sites may not do this")
        if self._pages is not None:
            await refuse_foreign_page(self._pages, actor.site_id, origin)


def _method(connection: Connection) -> str:
    """The verb. A socket's handshake names none here: the room of the sockets has a gate of its own."""
    return str(connection.scope.get("method", "OPTIONS"))


def _refuse_other_spelling(connection: Connection) -> None:
    """Raises NotFoundError for a path of the API with a slash at its end, which the router would cut off: one
    thing has one address, for rules of proxies too."""
    # As it was sent: the router has cut it already in `path`.
    path = bytes(connection.scope.get("raw_path") or b"")
    if path.startswith(b"/api/") and path.endswith(b"/"):
        raise NotFoundError("no such address; leave out the slash at the end")


def _refuse_other_bodies(connection: Connection, handler: BaseRouteHandler) -> None:
    """Raises 415 for a body that does not call itself JSON, where JSON is what the route takes."""
    if _method(connection) in SAFE_METHODS or handler.opt.get("body") == "raw":
        return
    headers = connection.headers
    empty = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not empty and media_type not in JSON_TYPES:
        raise HTTPException("send application/json", status_code=415)


async def current_agent(request: Request[Any, Any, Any]) -> AgentActor:
    """The agent who asks; for handlers whose policy asks for one."""
    actor = request.scope.get("user")
    if not isinstance(actor, AgentActor):
        raise UnauthorisedError("sign in first")
    return actor


async def current_visitor(request: Request[Any, Any, Any]) -> VisitorActor:
    """The visitor who asks; for handlers whose policy asks for one."""
    actor = request.scope.get("user")
    if not isinstance(actor, VisitorActor):
        raise UnauthorisedError("a visitor's token is needed")
    return actor


# How handlers ask for them: `actor: CurrentAgent`, `visitor: CurrentVisitor`.
CurrentAgent = NamedDependency[AgentActor]
CurrentVisitor = NamedDependency[VisitorActor]
