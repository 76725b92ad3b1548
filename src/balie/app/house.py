"""Every room, built once and introduced to the others."""

import asyncio
import contextlib
import hashlib
import os
import time
from http.cookies import CookieError, SimpleCookie

import structlog
from argon2 import PasswordHasher
from sqlalchemy import Connection

from balie import wiring
from balie.agents.queries import find_agent, find_ended
from balie.agents.room import AgentRoom
from balie.app import data
from balie.app.attendance import Attendance
from balie.app.background import Background
from balie.app.elsewhere import Elsewhere
from balie.app.neighbours import Neighbours
from balie.app.settings import Settings
from balie.app.stores import open_driver
from balie.app.tracing import TracedStore, Tracing
from balie.bus.hints import Hints, NoHints
from balie.bus.memory import MemoryBus
from balie.contacts.commands import ContactCommands
from balie.contacts.erasing import Erasing
from balie.contacts.ledger import LedgerFile
from balie.conversations.allowance import Allowance, Bounds
from balie.conversations.api.reading import READS
from balie.conversations.api.services import ConversationServices
from balie.conversations.commands import ConversationCommands
from balie.conversations.model import Conversation
from balie.conversations.projection import ConversationProjection
from balie.conversations.retention import GIANTS, conversations_of
from balie.edge.auth import cookie_name
from balie.edge.limits import Limiter, Rate, Seats, Turnstile
from balie.edge.ports import Ports
from balie.edge.settings import EdgeSettings
from balie.kernel.actor import AgentActor
from balie.kernel.erasure import Gone, Person, PersonErased
from balie.kernel.errors import NotFoundError, UnauthorisedError
from balie.kernel.events import AgentName
from balie.kernel.shapes import AgentSelf, Named
from balie.kernel.tidings import Tiding
from balie.organisations.commands import OrganisationCommands
from balie.organisations.pages import SitePages
from balie.organisations.queries import find_organisation
from balie.realtime.hub import Hub
from balie.realtime.protocol.frames import Close
from balie.realtime.protocol.session import Limits
from balie.realtime.services import AgentEntry, Services, SiteDoor
from balie.store.blobs import Blobs
from balie.store.engine import LogStore
from balie.store.log import Appended
from balie.store.scope import EVERYWHERE

log = structlog.get_logger("balie.app")

PRESENCE_EVERY = 5.0
UPLOADS = Rate(burst=30, refill_ms=10_000)
UPLOADS_AT_ONCE = (8, 24)
"""From one address, and from all; each may hold as much memory as a file is large."""


def clock() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class House:
    """All rooms of one process over one data directory."""

    def __init__(
        self,
        settings: Settings,
        hasher: PasswordHasher | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self.settings = settings
        self.tracing = tracing
        self.folder = data.prepare(settings.data_dir, has_database=not settings.database_url)
        driver = open_driver(settings)
        self.secret = data.secret(self.folder, is_used=driver.is_used())
        self.store: LogStore[Conversation] = (
            TracedStore(driver, ConversationProjection(), tracing)
            if tracing is not None
            else LogStore(driver, ConversationProjection())
        )
        self.blobs = Blobs(self.folder / data.FILES)
        self.ports = Ports(self.store, clock, os.urandom, self._tell_in)
        self.edge = EdgeSettings(
            settings.own_origin,
            trusted_proxies=settings.trusted_proxies,
            operator_token=settings.metrics_token,
        )
        self.organisations = OrganisationCommands(self.ports)
        self.pages = SitePages(self.ports, self.organisations)
        self.agents = AgentRoom(self.ports, self.edge, self.organisations, hasher)
        self.contacts = ContactCommands(self.ports)
        self.conversations = ConversationCommands(self.store, clock)
        self.erasing = Erasing(
            self.ports,
            self.blobs,
            LedgerFile(self.folder / data.LEDGER),
            wiring.KEEPERS,
            wiring.REACTIONS[PersonErased],
            conversations_of,
            (GIANTS,),
        )
        self._open_hub()
        self.background = Background(self.ports, settings)
        self.bus.subscribe(self.background.appended)
        talk = Rate(settings.message_burst, 1_000 / settings.messages_per_second)
        self.post_limit = Limiter(talk, 50_000)
        self.told_limit = Limiter(talk, 50_000)
        self.start_limit = Limiter(
            Rate(settings.connection_burst, 60_000 / settings.connections_per_minute), 50_000
        )
        self._watch: asyncio.Task[None] | None = None

    def _open_hub(self) -> None:
        """Who hears of what is written: those who are connected here, and the other processes."""
        self.hub = Hub()
        self.bus: MemoryBus[Appended[Conversation]] = MemoryBus()
        self.neighbours = Neighbours(
            self.store,
            self.hub,
            _hints(self.settings, self.secret),
            clock,
            os.urandom(6).hex(),
            shared=bool(self.settings.database_url),
        )
        self.elsewhere = Elsewhere(
            self.neighbours, self.store, clock, self.hub, self.agents, self.pages
        )
        self.attendance = Attendance(self.store, clock, self.hub, self.agents, self.elsewhere)
        self.stored_events = 0
        for hears in (
            self.hub.committed,
            self._count,
            self.neighbours.committed,
            self.elsewhere.committed,
        ):
            self.bus.subscribe(hears)
        self.store.on_appended = self.bus.publish
        self.store.on_touched = self._touched
        self.agents.on_sessions_ended(self._close_consoles)
        self.agents.on_sessions_ended(self.elsewhere.hurry)
        self.elsewhere.on_sessions_ended = self._close_consoles
        self.organisations.on_site_changed.append(self.elsewhere.hurry)
        self.erasing.on_erased.append(self._tell_erased)

    def _tell_in(self, connection: Connection, organisation_id: str, tiding: Tiding) -> None:
        self.elsewhere.tell_in(connection, organisation_id, tiding)

    # Living.

    async def open(self) -> None:
        """Start writing and watching."""
        self.store.start()
        self._watch = asyncio.create_task(self.attendance.watch())

    def _count(self, appended: Appended[Conversation]) -> None:
        self.stored_events += len(appended.envelopes)

    async def close(self) -> None:
        """Write what is queued and stop."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        await self.elsewhere.stop()
        await self.store.stop()
        if self.tracing is not None:
            await asyncio.to_thread(self.tracing.close)

    # What sockets need.

    def live_services(self) -> Services:
        """What connections ask of the rooms."""
        return Services(
            store=self.store,
            conversations=self.conversations,
            contacts=self.contacts,
            hub=self.hub,
            clock=clock,
            entropy=os.urandom,
            secret=self.secret,
            edge=self.edge,
            pages=self.pages,
            find_site=self._find_site,
            admit_agent=self._admit_agent,
            is_signed_in=self._is_signed_in,
            agent_alive=self.attendance.alive,
            agent_left=self.attendance.left,
            colleagues=self.attendance.colleagues,
            desk=self.attendance.desk,
            post_limit=self.post_limit,
            start_limit=self.start_limit,
            address_seats=Seats(self.settings.connections_per_address),
            visitor_seats=Seats(self.settings.connections_per_visitor),
            limits=_frame_limits(self.settings),
            relay=self.elsewhere,
        )

    async def _find_site(self, key: str) -> SiteDoor | None:
        known = await self.agents.states.find(key)
        if known is None:
            return None
        site = known.site
        return SiteDoor(site.id, site.organisation_id, site.origins)

    async def _admit_agent(self, cookies: str, ticket: str) -> AgentEntry:
        actor = await self.agents.redeem(ticket, self._session_token(cookies))
        if actor is None:
            raise UnauthorisedError("sign in and ask for a new ticket")
        agent, organisation = await self.store.read(
            lambda c: (find_agent(c, actor, actor.agent_id), find_organisation(c, actor)),
            of=actor.organisation_id,
        )
        return AgentEntry(
            actor,
            AgentSelf(
                id=agent.id,
                name=agent.name,
                email=agent.email,
                role=agent.role,
                language=agent.language,
                picture=agent.picture,
            ),
            Named(organisation.id, organisation.name),
        )

    async def _is_signed_in(self, cookies: str) -> bool:
        token = self._session_token(cookies)
        return token is not None and await self.agents.sign_in.know(token) is not None

    def _session_token(self, cookies: str) -> str | None:
        try:
            morsel = SimpleCookie(cookies).get(cookie_name(self.edge))
        except CookieError:
            return None
        return morsel.value if morsel else None

    # Endings.

    def _touched(self, state: Conversation) -> None:
        self.hub.touched(state)
        self.elsewhere.marked(state)

    def _close_consoles(self, session_ids: list[str]) -> None:
        for session_id in session_ids:
            self.hub.end_agent_session(session_id, Close.UNAUTHORISED, "this session was ended")

    async def end_expired_sessions(self) -> None:
        """A console whose sign-in has run out meanwhile does not stay connected by staying open."""
        open_now = self.hub.agent_sessions()
        if open_now:
            now = clock()
            ended = await self.store.read(lambda c: find_ended(c, open_now, now), of=EVERYWHERE)
            self._close_consoles(ended)

    # What HTTP needs.

    def conversation_services(self) -> ConversationServices:
        """What the doors of conversations ask of the rooms."""
        return ConversationServices(
            ports=self.ports,
            edge=self.edge,
            store=self.store,
            conversations=self.conversations,
            contacts=self.contacts,
            blobs=self.blobs,
            secret=self.secret,
            post_limit=self.post_limit,
            told_limit=self.told_limit,
            upload_limit=Limiter(UPLOADS),
            uploading=Turnstile(*UPLOADS_AT_ONCE),
            allowance=Allowance(_upload_bounds(self.settings), self.folder / data.FILES),
            read_limit=Limiter(READS),
            transcribing=asyncio.Semaphore(1),
            max_file_bytes=self.settings.max_file_bytes,
            is_online=self.hub.is_online,
            find_colleague=self._find_colleague,
            on_replaced=self._replace_visitor,
        )

    async def _find_colleague(self, actor: AgentActor, agent_id: str) -> AgentName:
        agent = await self.store.read(
            lambda c: find_agent(c, actor, agent_id), of=actor.organisation_id
        )
        if agent.disabled:
            raise NotFoundError("this colleague works here no longer")
        return AgentName(agent.id, agent.name, agent.picture)

    def _replace_visitor(self, visitor_id: str) -> None:
        self.hub.rename_visitor(visitor_id)
        self.elsewhere.hurry()

    # What is no more.

    def _tell_erased(self, person: Person, gone: Gone) -> None:
        for visitor_id in person.visitor_ids:
            self.hub.end_visitor(visitor_id, Close.UNAUTHORISED, "this visitor was erased")
        # Other processes read it in the ledger.
        self.hub.gone(person.organisation_id, gone.conversation_ids)


def _hints(settings: Settings, secret: bytes) -> Hints:
    if not (settings.nats_url and settings.database_url):
        return NoHints()
    # Imported here: who has one process needs no NATS.
    from balie.bus.nats import NatsHints  # noqa: PLC0415

    # Processes of one installation share their secret, and nobody else knows what comes of it.
    return NatsHints(
        settings.nats_url, f"balie.{hashlib.sha256(b'hints' + secret).hexdigest()[:24]}"
    )


def _frame_limits(settings: Settings) -> Limits:
    """Limits of one connection: never tighter than what its sender may post."""
    usual = Limits()
    return Limits(
        frames=max(usual.frames, 2 * settings.messages_per_second),
        frame_burst=max(usual.frame_burst, 2 * settings.message_burst),
    )


def _upload_bounds(settings: Settings) -> Bounds:
    """Never so tight that not even one file fits."""
    largest = settings.max_file_bytes
    return Bounds(
        per_address=max(largest, settings.upload_bytes_per_address),
        unspoken=max(largest, settings.upload_bytes_unspoken),
        waiting=max(largest, settings.upload_bytes_waiting),
        free=settings.free_bytes,
    )
