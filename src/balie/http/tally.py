"""What the web server tells of its own work: requests by route, never by address."""

from collections import Counter
from time import monotonic
from typing import Any

from balie.kernel.tally import Spread

OTHER = "other"
"""The route of what has none: whoever asks for made-up addresses makes no new names."""


class HttpTally:
    """An ASGI application around another that counts its requests. Written in the event loop alone."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self.requests: Counter[tuple[str, str, int]] = Counter()
        """By method, route and status; 0 where the client was gone before the answer."""
        self.seconds: dict[str, Spread] = {}
        """Seconds until the answer had left, by route."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        began, status = monotonic(), 0

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._application(scope, receive, sending)
        finally:
            self._count(scope, status, monotonic() - began)

    def _count(self, scope: Any, status: int, seconds: float) -> None:
        route = scope.get("path_template") or OTHER
        method = scope["method"] if route != OTHER else OTHER
        self.requests[method, route, status] += 1
        spread = self.seconds.get(route)
        if spread is None:
            spread = self.seconds[route] = Spread()
        spread.add(seconds)
