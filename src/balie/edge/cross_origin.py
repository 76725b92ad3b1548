"""Pages of customers' own sites: which of them may speak to Balie for a visitor, and what they are told.

A visitor's token is added by the program that speaks, not by the browser, so a foreign page cannot misuse
it as it could a cookie. Still only the site's own pages may use it (CORS, WHATWG Fetch, section 3.2).
"""

from typing import Protocol

from litestar.types import Scope

from balie.edge.origins import same_origin
from balie.kernel.errors import ForbiddenError

VERBS = "GET, POST, PUT"
HEADERS = "Authorization, Content-Type, X-File-Name"
KEPT_SECONDS = 600

FOR_VISITORS = ("/api/v1/visitor/", "/api/v1/files", "/sse/visitor", "/sse/sessions/")


class Pages(Protocol):
    """Knows the origins of sites."""

    async def of_site(self, site_id: str) -> frozenset[str]:
        """Where this site's pages are; nothing for an unknown site."""
        ...

    async def known(self, origin: str) -> bool:
        """Whether any site has pages there."""
        ...


async def refuse_foreign_page(pages: Pages, site_id: str, origin: str | None) -> None:
    """Raises ForbiddenError when a browser says that the request comes from a page that is not the site's."""
    if origin and not same_origin(origin, await pages.of_site(site_id)):
        raise ForbiddenError("this origin is not among the site's allowed origins")


async def answer_headers(pages: Pages, path: str, origin: str) -> dict[str, str]:
    """What lets a page of a site read the answer; nothing for any other page."""
    if not path.startswith(FOR_VISITORS) or not await pages.known(origin):
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": VERBS,
        "access-control-allow-headers": HEADERS,
        "access-control-max-age": str(KEPT_SECONDS),
        "cross-origin-resource-policy": "cross-origin",
        "vary": "Origin",
    }


def origin_of(scope: Scope) -> str:
    """The Origin header of a request; empty without one. Two of them are one list, which is nobody's origin."""
    return ", ".join(
        value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"
    )
