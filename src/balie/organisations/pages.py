"""The origins of all sites, at hand: asked at every request of a page that is not Balie's own."""

from balie.edge.ports import Ports
from balie.organisations.commands import OrganisationCommands
from balie.organisations.queries import find_all_origins
from balie.store.scope import EVERYWHERE

KEPT_MS = 10_000


class SitePages:
    """Keeps the origins for a while; a change in this process is known at once, one of another within
    KEPT_MS."""

    def __init__(self, ports: Ports, organisations: OrganisationCommands) -> None:
        self._ports = ports
        self._by_site: dict[str, frozenset[str]] = {}
        self._all: frozenset[str] = frozenset()
        self._until = 0
        organisations.on_site_changed.append(lambda _: self.forget())

    async def of_site(self, site_id: str) -> frozenset[str]:
        await self._refresh()
        return self._by_site.get(site_id, frozenset())

    async def known(self, origin: str) -> bool:
        await self._refresh()
        return origin in self._all

    async def _refresh(self) -> None:
        now = self._ports.clock()
        if now < self._until:
            return
        self._until = now + KEPT_MS
        self._by_site = await self._ports.store.read(find_all_origins, of=EVERYWHERE)
        self._all = frozenset(origin for origins in self._by_site.values() for origin in origins)

    def forget(self) -> None:
        """Some site has changed."""
        self._until = 0
