"""The public state of a site: whether somebody is at the desk, and how the launcher looks and speaks.

Asked at every page view, so it is encoded once and kept until the site or the desk changes. Another process
may change a site too, hence what is kept is looked up again after ten seconds.
"""

import asyncio
import hashlib
from collections import OrderedDict

import msgspec

from balie.agents.presence import Presence
from balie.edge.ports import Ports
from balie.kernel.shapes import Desk
from balie.organisations import queries
from balie.organisations.api import LookView, look_view
from balie.organisations.model import AfterClose, Language, Site, Texts, WhenAway
from balie.store.scope import EVERYWHERE

KEPT_MS = 10_000
CAPACITY = 1_000


class SiteState(msgspec.Struct, frozen=True, kw_only=True):
    """What a launcher needs to know. Empty texts mean Balie's own words."""

    key: str
    name: str
    desk: Desk
    look: LookView
    languages: tuple[Language, ...]
    texts: dict[Language, Texts]
    after_close: AfterClose
    when_away: WhenAway


class Encoded(msgspec.Struct, frozen=True):
    """A state as it goes over the wire, with its ETag (quoted) and the site that it is about."""

    site: Site
    desk: Desk
    body: bytes
    etag: str


class Kept(msgspec.Struct):
    encoded: Encoded | None
    until: int


class SiteStates:
    """The states of the sites that are asked for. Unknown keys are remembered as unknown, too."""

    def __init__(self, ports: Ports, presence: Presence) -> None:
        self._ports = ports
        self._presence = presence
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._asked: dict[str, asyncio.Task[Kept]] = {}

    async def find(self, key: str) -> Encoded | None:
        """The state of the site with this key, as of now; None when there is no such site."""
        now = self._ports.clock()
        kept = self._kept.get(key)
        if kept is None or now >= kept.until:
            kept = await self._read_once(key)
        if kept.encoded is None:
            return None
        site = kept.encoded.site
        if self._presence.desk(site.organisation_id, now) != kept.encoded.desk:
            kept.encoded = self._encode(site, now)
        return kept.encoded

    async def _read_once(self, key: str) -> Kept:
        """However many ask at the same moment, as after a restart, one of them reads and encodes."""
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.create_task(self._read(key))
        return await asyncio.shield(asked)

    async def _read(self, key: str) -> Kept:
        try:
            site = await self._ports.store.read(
                lambda c: queries.find_site_by_key(c, key), of=EVERYWHERE
            )
            now = self._ports.clock()
            encoded = self._encode(site, now) if site is not None else None
            kept = Kept(encoded, now + KEPT_MS)
            # Not, when the site was changed meanwhile.
            if self._asked.get(key) is asyncio.current_task():
                self._keep(key, kept)
            return kept
        finally:
            if self._asked.get(key) is asyncio.current_task():
                del self._asked[key]

    def state(self, site: Site, now: int) -> SiteState:
        """The state of a site, not yet encoded."""
        return SiteState(
            key=site.key,
            name=site.name,
            desk=self._presence.desk(site.organisation_id, now),
            look=look_view(site.look),
            languages=site.languages,
            texts=site.texts,
            after_close=site.after_close,
            when_away=site.when_away,
        )

    def forget(self, site: Site) -> None:
        """A site that changed is encoded anew."""
        self.forget_key(site.key)

    def forget_key(self, key: str) -> None:
        """As `forget`, where only its key is known."""
        self._kept.pop(key, None)
        self._asked.pop(key, None)

    def _encode(self, site: Site, now: int) -> Encoded:
        state = self.state(site, now)
        body = msgspec.json.encode(state)
        return Encoded(site, state.desk, body, f'"{hashlib.sha256(body).hexdigest()[:20]}"')

    def _keep(self, key: str, kept: Kept) -> None:
        self._kept[key] = kept
        self._kept.move_to_end(key)
        if len(self._kept) > CAPACITY:
            self._kept.popitem(last=False)
