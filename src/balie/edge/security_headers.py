"""The headers that every answer carries, and the content security policies of pages."""

from collections.abc import Iterable

from litestar.types import Message, Scope

from balie.edge.cross_origin import Pages, answer_headers, origin_of
from balie.edge.settings import EdgeSettings

API_POLICY = "default-src 'none'; frame-ancestors 'none'"

ALWAYS: dict[str, str] = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": API_POLICY,
}
HSTS = "max-age=31536000; includeSubDomains"


def console_policy(origins: Iterable[str] = (), styles: Iterable[str] = ()) -> str:
    """For the console: everything from here, framed by nobody. Sockets of `origins` are spelled out,
    because some browsers do not count them as 'self'. `styles` are the hashes of inline style sheets."""
    return _policy("'none'", origins, styles)


def frame_policy(ancestors: Iterable[str], origins: Iterable[str] = ()) -> str:
    """For the panel: as the console, but framed by exactly these origins and by Balie itself."""
    return _policy(" ".join(["'self'", *sorted(ancestors)]), origins)


def _policy(ancestors: str, origins: Iterable[str], styles: Iterable[str] = ()) -> str:
    sockets = [origin.replace("http", "ws", 1) for origin in sorted(origins)]
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src " + " ".join(["'self'", *styles]),
            "img-src 'self' blob: data:",
            "media-src 'self' blob:",
            "font-src 'self'",
            "connect-src " + " ".join(["'self'", *sockets]),
            "worker-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            f"frame-ancestors {ancestors}",
        ]
    )


class SecurityHeaders:
    """Adds to each answer what its handler did not say itself."""

    def __init__(self, settings: EdgeSettings, pages: Pages | None = None) -> None:
        self._pages = pages
        self._headers = dict(ALWAYS)
        if settings.secure:
            self._headers["strict-transport-security"] = HSTS

    async def __call__(self, message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers = list(message.get("headers", ()))
        said = {name.lower() for name, _ in headers}
        wanted = dict(self._headers)
        if scope.get("user") is not None or scope["path"].startswith("/api/"):
            # What one person may see stays out of every cache, unless the handler knows better.
            wanted["cache-control"] = "no-store"
        origin = origin_of(scope)
        if self._pages is not None and origin and message["status"] < 500:
            wanted |= await answer_headers(self._pages, scope["path"], origin)
        for name, value in wanted.items():
            if name.encode() not in said:
                headers.append((name.encode(), value.encode()))
        message["headers"] = headers
