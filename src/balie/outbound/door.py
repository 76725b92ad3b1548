"""The one HTTP client of Balie, for addresses that people typed.

A name is resolved once; each address that it stands for is looked at, and one that is not public spoils them
all; the connection goes to an address that was looked at, while certificate and Host stay the name's. No proxy
of the environment, no redirect, no cookie, no connection kept for another request. Of an answer at most
BODY_LIMIT bytes are read, and none is handed on but its status.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any

import certifi
import httpcore
import msgspec

from balie.outbound.addresses import Address, Network, is_public, is_within, parse_address
from balie.outbound.breaker import Breaker
from balie.outbound.targets import Target, parse_target

BODY_LIMIT = 64 * 1_024
TIMEOUT = 15.0
"""Seconds for everything: name, connection, handshake, request and answer."""
CONNECT_TIMEOUT = 5.0
"""Seconds for one address."""
ADDRESSES = 3
"""How many of a name's addresses are tried."""

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host, as text. Raises OSError."""
Connect = Callable[[Address, int], Awaitable[httpcore.AsyncNetworkStream]]
"""A connection to an address and port. Raises httpcore.ConnectError, httpcore.ConnectTimeout."""


class RefusedError(Exception):
    """Balie does not go there; the text says why."""


class UnreachableError(Exception):
    """Nobody was reached, or nothing was answered that can be read. `code` is one short word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class RestingError(Exception):
    """It failed too often just now; `rest` milliseconds are left of its rest."""

    def __init__(self, rest: int) -> None:
        super().__init__(rest)
        self.rest = rest


class Answer(msgspec.Struct, frozen=True):
    """What came back. `retry_after` as the header had it."""

    status: int
    retry_after: str | None = None


class Door:
    """Goes outside. `allowed` are networks of an operator's own that may be reached as well, in plain HTTP
    too."""

    def __init__(
        self,
        resolve: Resolve,
        connect: Connect,
        *,
        allowed: Iterable[Network] = (),
        timeout: float = TIMEOUT,
    ) -> None:
        self._resolve = resolve
        self._connect = connect
        self._allowed = tuple(allowed)
        self._timeout = timeout
        self._breaker = Breaker()
        self._trust: ssl.SSLContext | None = None

    def check(self, url: str) -> Target:
        """What `url` means, as far as it can be said without asking anybody. Raises RefusedError."""
        try:
            target = parse_target(url)
        except ValueError as error:
            raise RefusedError(str(error)) from None
        if target.is_plain and not self._allowed:
            raise RefusedError("it begins with https://")
        address = _as_address(target.host)
        if address is not None:
            self._refuse_private([address], target)
        return target

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        circuit: str,
        before_sending: Callable[[], None] = lambda: None,
    ) -> Answer:
        """Send `body`. `circuit` says who rests when nobody is reached, besides the host. `before_sending` is
        called when the connection stands and nothing was said; what it raises is raised here.

        Raises RefusedError, UnreachableError, RestingError.
        """
        target = self.check(url)
        key = f"{circuit} {target.place}"
        if rest := self._breaker.rest_of(key, _now()):
            raise RestingError(rest)
        try:
            answer = await self._timely(target, body, headers, before_sending)
        except UnreachableError:
            self._breaker.failed(key, _now())
            raise
        self._breaker.answered(key)
        return answer

    async def _timely(
        self,
        target: Target,
        body: bytes,
        headers: Mapping[str, str],
        before_sending: Callable[[], None],
    ) -> Answer:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(target, body, headers, before_sending)
        except (TimeoutError, httpcore.TimeoutException):
            raise UnreachableError("timeout") from None
        except ssl.SSLError:
            raise UnreachableError("tls") from None
        except httpcore.ConnectError as error:
            raise UnreachableError(_why(error)) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError):
            raise UnreachableError("broken") from None

    async def _exchange(
        self,
        target: Target,
        body: bytes,
        headers: Mapping[str, str],
        before_sending: Callable[[], None],
    ) -> Answer:
        async def trace(name: str, _info: Any) -> None:
            if name == "http11.send_request_headers.started":
                before_sending()

        addresses = await self._look_up(target)
        request = httpcore.Request(
            "POST",
            httpcore.URL(
                scheme=target.scheme.encode(),
                host=target.host.encode(),
                port=target.port,
                target=target.path.encode(),
            ),
            headers=[
                ("Host", target.place),
                ("Content-Length", str(len(body))),
                *headers.items(),
            ],
            content=body,
            extensions={"trace": trace, "sni_hostname": target.host},
        )
        way = _Pinned(addresses, self._connect)
        pool = httpcore.AsyncConnectionPool(
            ssl_context=self._trusted(), max_keepalive_connections=0, network_backend=way
        )
        try:
            response = await pool.handle_async_request(request)
            await _drain(response)
        finally:
            await way.close()
        return Answer(response.status, _header(response, b"retry-after"))

    async def _look_up(self, target: Target) -> list[Address]:
        literal = _as_address(target.host)
        if literal is not None:
            return [literal]
        try:
            found = await self._resolve(target.host, target.port)
            addresses = [parse_address(each) for each in found]
        except (OSError, ValueError, UnicodeError):
            raise UnreachableError("name") from None
        if not addresses:
            raise UnreachableError("name")
        self._refuse_private(addresses, target)
        return addresses[:ADDRESSES]

    def _refuse_private(self, addresses: Iterable[Address], target: Target) -> None:
        for address in addresses:
            if is_within(address, self._allowed):
                continue
            if not is_public(address):
                raise RefusedError("this address is not on the open internet")
            if target.is_plain:
                raise RefusedError("it begins with https://")

    def _trusted(self) -> ssl.SSLContext:
        """The machine's own authorities (SSL_CERT_FILE names others) and those of browsers."""
        if self._trust is None:
            self._trust = ssl.create_default_context()
            self._trust.load_verify_locations(certifi.where())
            self._trust.minimum_version = ssl.TLSVersion.TLSv1_2
        return self._trust


class _Pinned(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were looked at, whatever name it is told."""

    def __init__(self, addresses: list[Address], connect: Connect) -> None:
        self._addresses = addresses
        self._connect = connect
        self._made: list[httpcore.AsyncNetworkStream] = []

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - that is the point
        port: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - there is one for everything
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Any = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        *others, last = self._addresses
        for address in others:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    return await self._reach(address, port)
            except (TimeoutError, httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._reach(last, port)

    async def _reach(self, address: Address, port: int) -> httpcore.AsyncNetworkStream:
        stream = await self._connect(address, port)
        self._made.append(stream)
        return stream

    async def close(self) -> None:
        """Let go, also of what was left in the middle of a handshake."""
        for stream in self._made:
            await stream.aclose()

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise RefusedError("no sockets of this machine")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _drain(response: httpcore.Response) -> None:
    """Read the answer to its end, or to the limit: some servers call it broken when nobody listens."""
    left = BODY_LIMIT
    stream: AsyncIterator[bytes] = response.aiter_stream()
    async for chunk in stream:
        left -= len(chunk)
        if left <= 0:
            return


def _header(response: httpcore.Response, name: bytes) -> str | None:
    found = next((value for key, value in response.headers if key.lower() == name), None)
    return found.decode("ascii", "replace")[:100] if found is not None else None


def _as_address(host: str) -> Address | None:
    try:
        return parse_address(host)
    except ValueError:
        return None


def _why(error: httpcore.ConnectError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "tls"
        cause = cause.__cause__ or cause.__context__
    return "refused"


def _now() -> int:
    return time.monotonic_ns() // 1_000_000
