"""What lies between people and Balie: names, ports, a proxy, sockets, streams."""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import SplitResult, urlsplit

from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect
from websockets.typing import Origin

from balie.app import mirror
from balie.app.operations.doctor.remarks import Remark, advice, fault
from balie.app.settings import Settings
from balie.edge.origins import parse_origin

PATIENCE = 5.0
LOCAL = ("localhost", "127.0.0.1", "::1")


def look_at_settings(settings: Settings) -> Iterator[Remark]:
    """What can be seen without asking anybody."""
    place = urlsplit(settings.own_origin)
    if place.scheme == "http" and not _is_local(place.hostname):
        yield fault(
            "BALIE_ORIGIN",
            f"{settings.own_origin} is not encrypted",
            "put a proxy with TLS before Balie, and name its https:// address",
        )
    if settings.host in ("0.0.0.0", "::") and place.scheme == "https":  # noqa: S104 - it is told
        yield advice(
            "BALIE_HOST",
            f"everybody reaches port {settings.port} past the proxy",
            "listen on 127.0.0.1, or close the port to others",
        )


def look_at_origins(origins: list[tuple[str, str]], *, ask: bool) -> Iterator[Remark]:
    """Whether the pages of sites can be where they are said to be."""
    for name, origin in origins:
        about = f"site {name}, origin {origin}"
        try:
            normal = parse_origin(origin)
        except ValueError as error:
            yield fault(
                about, f"it is no origin: {error}", "correct it in the console, under Sites"
            )
            continue
        place = urlsplit(normal)
        if place.scheme == "http" and not _is_local(place.hostname):
            yield advice(about, "it is not encrypted", "serve the shop over https, and name that")
        if ask and (told := _reach(place)):
            yield advice(about, told, "look at its spelling; pages elsewhere may not load Balie")


def look_at_server(settings: Settings, secret: bytes, site_key: str | None) -> Iterator[Remark]:
    """Ask the address at which people open Balie, as they do."""
    place = urlsplit(settings.own_origin)
    try:
        status, _, _ = _ask(place, "GET", "/healthz")
    except (OSError, http.client.HTTPException) as error:
        yield fault(
            f"address {settings.own_origin}",
            f"nobody answers there as Balie: {error}",
            "start the server, look at name and certificate, and at the proxy's address of Balie",
        )
        return
    if status != 200:
        yield fault(
            f"address {settings.own_origin}",
            f"/healthz answers {status}",
            "look whether the proxy sends it to the right port",
        )
        return
    status, _, _ = _ask(place, "GET", "/readyz")
    if status != 200:
        yield fault("server", f"/readyz answers {status}", "look at database, disk and its log")
    yield from _look_at_socket(settings)
    if site_key is not None:
        yield from _look_at_stream(settings, place, site_key)
    yield from _look_at_proxy(settings, place, secret)


def look_at_nats(url: str) -> Iterator[Remark]:
    """Whether somebody who speaks NATS is there."""
    place = urlsplit(url)
    try:
        with socket.create_connection((place.hostname, place.port or 4_222), PATIENCE) as line:
            line.settimeout(PATIENCE)
            greeting = line.recv(5)
    except OSError as error:
        yield fault(
            "NATS",
            f"{place.hostname} cannot be reached: {error.strerror or error}",
            "start it, or look at BALIE_NATS_URL; until then messages between workers take longer",
        )
        return
    if not greeting.startswith(b"INFO"):
        yield fault("NATS", f"{place.hostname} speaks something else", "look at BALIE_NATS_URL")


# One question each.


def _look_at_socket(settings: Settings) -> Iterator[Remark]:
    address = f"ws{settings.own_origin.removeprefix('http')}/ws/visitor"
    about, told = "WebSocket", ""
    try:
        with connect(address, origin=Origin(settings.own_origin), open_timeout=PATIENCE):
            return
    except InvalidStatus as error:
        told = f"the answer is {error.response.status_code} instead of 101"
    except (OSError, WebSocketException) as error:
        told = str(error) or type(error).__name__
    yield fault(
        about,
        f"{address} does not open: {told}",
        "have the proxy pass Upgrade and Connection (HTTP/1.1); until then people are served over"
        " streams, which cost more",
    )


def _look_at_stream(settings: Settings, place: SplitResult, site_key: str) -> Iterator[Remark]:
    hello = json.dumps({"type": "hello", "site": site_key, "language": "en"})
    headers = {"Origin": settings.own_origin, "Content-Type": "application/json"}
    began = time.monotonic()
    try:
        with closing(_open(place)) as line:
            line.request("POST", "/sse/visitor", hello, headers)
            answer = line.getresponse()
            first = answer.read1(1)
    except TimeoutError:
        yield fault(
            "stream (SSE)",
            f"nothing comes within {PATIENCE:.0f} seconds: something holds it back",
            "have the proxy send on what it gets (nginx: proxy_buffering off)",
        )
        return
    except (OSError, http.client.HTTPException) as error:
        yield fault("stream (SSE)", f"it breaks off: {error}", "look at the proxy's log")
        return
    if answer.status != 200 or not first:
        yield fault("stream (SSE)", f"the answer is {answer.status}", "look at the proxy's rules")
    elif time.monotonic() - began > PATIENCE / 2:
        yield advice("stream (SSE)", "it comes late", "have the proxy send on what it gets")


def _look_at_proxy(settings: Settings, place: SplitResult, secret: bytes) -> Iterator[Remark]:
    headers = {"Authorization": mirror.proof(secret, int(time.time()))}
    status, _, body = _ask(place, "GET", mirror.PATH, headers)
    if status != 200:
        yield advice(
            "proxy",
            "the server that answers is of another installation, or older",
            "look whether the address leads to this one: their secrets differ",
        )
        return
    seen = json.loads(body)
    yield from judge_proxy(seen, is_direct=place.port == settings.port)


def judge_proxy(seen: dict[str, str], *, is_direct: bool) -> Iterator[Remark]:
    """What the headers that arrive say of the proxy. `seen` is what `balie.app.mirror` shows."""
    peer, forwarded, believed = seen["peer"], seen["forwarded_for"], seen["address"]
    trusted = seen["trusted"] == "yes"
    if forwarded and not trusted:
        yield fault(
            "proxy",
            f"{peer} says who people are (X-Forwarded-For) and is not believed: all count as one",
            f"BALIE_TRUSTED_PROXIES={peer}, if that is your proxy",
        )
    elif trusted and not forwarded:
        yield fault(
            "proxy",
            f"{peer} is trusted and does not say who people are (X-Forwarded-For): all count as one",
            "have it set the header (nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for)",
        )
    elif not forwarded and not is_direct:
        yield fault(
            "proxy",
            f"something at {peer} stands before Balie and does not say who people are: all count as one",
            f"have it set X-Forwarded-For, and BALIE_TRUSTED_PROXIES={peer}",
        )
    if forwarded and trusted and believed == peer:
        yield advice("proxy", f"its X-Forwarded-For names only proxies: {forwarded}", "look at it")
    if forwarded and seen["forwarded_proto"] == "http" and seen["secure"] == "yes":
        yield advice(
            "proxy",
            "it says that people come over http, and BALIE_ORIGIN says https",
            "send people who come over http to https",
        )


# Asking.


def _open(place: SplitResult) -> http.client.HTTPConnection:
    host = str(place.hostname)
    if place.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, place.port, timeout=PATIENCE, context=context)
    return http.client.HTTPConnection(host, place.port, timeout=PATIENCE)


def _ask(
    place: SplitResult, verb: str, path: str, headers: dict[str, str] | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    with closing(_open(place)) as line:
        line.request(verb, path, headers=headers or {})
        answer = line.getresponse()
        return answer.status, answer.headers, answer.read(65_536)


def _reach(place: SplitResult) -> str:
    """Why nobody answers there; nothing when somebody does."""
    port = place.port or (443 if place.scheme == "https" else 80)
    try:
        socket.create_connection((str(place.hostname), port), PATIENCE).close()
    except socket.gaierror:
        return "there is no such host"
    except OSError as error:
        return f"nobody answers there ({error.strerror or error})"
    return ""


def _is_local(host: str | None) -> bool:
    return host in LOCAL or str(host).endswith(".localhost")
