"""What the doors for live connections share: who may knock, and whose connection it becomes."""

from collections.abc import Callable, Iterable
from typing import Any

from balie.edge.limits import client_address, limit_key
from balie.edge.origins import same_origin
from balie.realtime.agent import AgentConnection
from balie.realtime.connection import Connection, Transport
from balie.realtime.services import Services
from balie.realtime.visitor import VisitorConnection

Scope = dict[str, Any]

ABANDON = "balie.abandon"
"""Extension of the ASGI scope: a function that gives the connection up soon, read or not."""


def may_knock(services: Services, kind: str, headers: dict[str, str]) -> bool:
    """Whether a page of this origin may try at all."""
    if kind == "agent":
        return same_origin(headers.get("origin"), services.edge.origins)
    # Which origins a visitor may come from, the site that `hello` names will tell.
    return kind == "visitor" and "origin" in headers


def open_connection(
    services: Services, kind: str, peer: str, headers: dict[str, str], transport: Transport
) -> Connection:
    """The connection of a visitor or an agent over any transport.

    Raises RateLimitedError where its address has too many already.
    """
    forwarded = headers.get("x-forwarded-for", "")
    address = client_address(peer, forwarded, services.edge.trusted_proxies)
    connection = _made(services, kind, address, headers, transport)
    connection.sit(services.address_seats, limit_key(address))
    connection.count_in()
    return connection


def _made(
    services: Services, kind: str, address: str, headers: dict[str, str], transport: Transport
) -> Connection:
    if kind == "agent":
        return AgentConnection(
            services,
            transport,
            origin=headers.get("origin", ""),
            address=address,
            cookies=headers.get("cookie", ""),
        )
    return VisitorConnection(
        services,
        transport,
        origin=headers.get("origin", ""),
        address=address,
        user_agent=headers.get("user-agent", ""),
    )


def peer_of(scope: Scope) -> str:
    """The address at the other end of an ASGI request; empty when there is none."""
    return scope["client"][0] if scope.get("client") else ""


def abandon_of(scope: Scope) -> Callable[[], None]:
    """What ABANDON names; where the web server has no such thing, a function that does nothing."""
    extensions: dict[str, Callable[[], None]] = scope.get("extensions") or {}
    return extensions.get(ABANDON, _nothing)


def _nothing() -> None:
    pass


def header_map(scope: Scope) -> dict[str, str]:
    """The headers of an ASGI request."""
    return merged(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    )


def merged(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Header names in lower case; what comes twice is one list (RFC 9110, section 5.3)."""
    found: dict[str, str] = {}
    for name, text in headers:
        key = name.lower()
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found
