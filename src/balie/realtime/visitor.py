"""A visitor's connection."""

import asyncio

from sqlalchemy import Connection as Connected

from balie.contacts import tokens
from balie.contacts.device import describe
from balie.contacts.ledger import refuse_erased
from balie.contacts.model import Visitor, new_visitor
from balie.contacts.queries import find_visitor
from balie.contacts.queries import visitor as known_visitor
from balie.conversations.acts import Note, Post, See
from balie.conversations.model import Conversation
from balie.conversations.queries import own_conversations
from balie.conversations.views import view
from balie.edge.limits import limit_key
from balie.edge.origins import same_origin
from balie.kernel.actor import VisitorActor
from balie.kernel.errors import BalieError, ForbiddenError, UnauthorisedError
from balie.kernel.events import ConversationStarted, Page, PageViewed
from balie.kernel.ids import ENTROPY_BYTES, new_id
from balie.kernel.shapes import VisitorSelf
from balie.realtime.connection import Connection, Transport
from balie.realtime.hub import GONE_AFTER
from balie.realtime.protocol import effects as do
from balie.realtime.protocol import frames as f
from balie.realtime.protocol.session import encode
from balie.realtime.services import Services


class VisitorConnection(Connection):
    """A tab of a visitor. Costs no row in the store until something is said."""

    kind = "visitor"

    def __init__(
        self,
        services: Services,
        transport: Transport,
        *,
        origin: str,
        address: str,
        user_agent: str,
    ) -> None:
        super().__init__(services, transport)
        self._origin = origin
        self._address = address
        self._user_agent = user_agent
        self._hello: f.VisitorHello | None = None
        self._page: f.PageSeen | f.PageMoved | None = None
        self.actor: VisitorActor | None = None
        self.visitor_id = ""
        self.site_id = ""

    async def greet(self, hello: f.VisitorHello) -> list[do.Effect]:
        services = self.services
        services.start_limit.take(f"hello:{limit_key(self._address)}", services.clock())
        site = await services.find_site(hello.site)
        if site is None:
            raise ForbiddenError("no such site")
        own = services.edge.origins
        if not same_origin(self._origin, own) and not same_origin(self._origin, site.origins):
            raise ForbiddenError("this origin may not use this site's chat")
        actor = self._actor(hello, site.id, site.organisation_id)
        self.sit(services.visitor_seats, actor.visitor_id)
        if services.hub.was_renamed(actor.visitor_id):
            # The token of the new id is on its way to this browser.
            return self.session.turned_away(f.Close.RENAMED, "identified under a new token")
        # Heard from now on, told after the welcome: what another tab starts while we read is in neither list.
        with self.holding() as held:
            self._enter(actor)
            known, owned = await self._look_up(actor) if hello.token else (None, [])
            self._hello, self._page = hello, hello.page
            welcome = await self._welcome(actor, known, owned)
        self._arrive(hello.page, owned)
        return [*self.session.greeted(welcome, hello.resume), *map(do.Send, held)]

    async def _look_up(self, actor: VisitorActor) -> tuple[Visitor | None, list[Conversation]]:
        """What is known of him. Raises UnauthorisedError for one who was erased: he starts anew."""

        def query(connection: Connected) -> tuple[Visitor | None, list[Conversation]]:
            refuse_erased(connection, actor)
            return (
                known_visitor(connection, actor, actor.visitor_id),
                own_conversations(connection, actor),
            )

        return await self.services.store.read(query, of=actor.organisation_id)

    def _actor(self, hello: f.VisitorHello, site_id: str, organisation_id: str) -> VisitorActor:
        now = self.services.clock()
        if hello.token is None:
            return VisitorActor(
                organisation_id=organisation_id,
                site_id=site_id,
                visitor_id=new_id(now, self.services.entropy(ENTROPY_BYTES)),
            )
        actor = tokens.read(self.services.secret, hello.token, now)
        if actor.site_id != site_id:
            raise UnauthorisedError("this token belongs to another site")
        return actor

    def _arrive(self, page: f.PageSeen | None, owned: list[Conversation]) -> None:
        """Where pages load one by one, each brings its own `hello` and no `page` frame."""
        elsewhere = tuple(
            each.id
            for each in owned
            if page and each.status == "open" and each.page_url != page.url
        )
        if page and elsewhere:
            self.later(self._record_page(page, elsewhere))

    def _enter(self, actor: VisitorActor) -> None:
        self.actor, self.visitor_id, self.site_id = actor, actor.visitor_id, actor.site_id
        self.organisation_id = actor.organisation_id
        self.services.hub.join_visitor(self)

    async def _welcome(
        self, actor: VisitorActor, known: Visitor | None, owned: list[Conversation]
    ) -> bytes:
        services = self.services
        now = services.clock()
        return encode(
            f.VisitorWelcome(
                session=self.id,
                now=now,
                heartbeat_ms=services.heartbeat_ms,
                visitor=VisitorSelf(
                    id=actor.visitor_id,
                    token=tokens.issue(services.secret, actor, now),
                    name=known.name if known else None,
                    email=known.email if known else None,
                    verified=known.verified if known else False,
                ),
                conversations=tuple(map(view, owned)),
                desk=await services.desk(actor.organisation_id),
            )
        )

    def follow(self, conversation: str) -> None:
        super().follow(conversation)
        self.services.hub.visitor_came_or_went(self.visitor_id, (conversation,), online=True)

    @property
    def limit_key(self) -> str:
        return f"visitor:{self.visitor_id}"

    async def prepared_command(self, frame: f.Post | f.Note) -> Post | Note:
        assert isinstance(frame, f.Post)
        if frame.conversation is not None:
            return await self.composed(frame)
        self.services.start_limit.take(f"start:{limit_key(self._address)}", self.services.clock())
        visitor = await self._remembered()
        return await self.composed(frame, self._opening(visitor))

    async def _remembered(self) -> Visitor:
        """The visitor as he is known by now, or from now on."""
        actor, hello = self._greeted_actor, self._hello
        assert hello is not None
        known = await find_visitor(self.services.store, actor, actor.visitor_id)
        seen = new_visitor(
            actor, self.services.clock(), hello.language, self._user_agent, hello.time_zone or ""
        )
        if known is None:
            await self.services.contacts.remember(seen)
            return seen
        return await self.services.contacts.complete(known, seen)

    def _opening(self, visitor: Visitor) -> ConversationStarted:
        page = self._page
        return ConversationStarted(
            site=visitor.site_id,
            language=visitor.language,
            page=Page(page.url, page.title, page.referrer) if page else None,
            device=describe(self._user_agent, visitor.time_zone),
            name=visitor.name,
            email=visitor.email,
            verified=visitor.verified,
            contact=visitor.contact_id,
        )

    def tell(self, frame: f.Mark | f.TypingOn | f.PageMoved | f.Alive) -> None:
        if isinstance(frame, f.Mark):
            self.mark(frame)
        elif isinstance(frame, f.TypingOn):
            self.type_on(frame, f.TypingBy(kind="visitor", id=self.visitor_id))
        elif isinstance(frame, f.PageMoved):
            self._page = frame
            self.later(self._record_page(frame, tuple(self.session.following)))

    async def _record_page(
        self, seen: f.PageSeen | f.PageMoved, conversations: tuple[str, ...]
    ) -> None:
        page = PageViewed(seen.url, seen.title, seen.referrer)
        for conversation in conversations:
            command = See(actor=self._greeted_actor, conversation_id=conversation, page=page)
            try:
                await self.services.conversations.run(command)
            except BalieError:
                continue

    @property
    def _greeted_actor(self) -> VisitorActor:
        assert self.actor is not None
        return self.actor

    def leave(self) -> None:
        super().leave()
        if self.actor is None:
            return
        followed = tuple(self.session.following)
        self.services.hub.leave_visitor(self, followed)
        if not self.services.hub.is_online(self.visitor_id):
            asyncio.get_running_loop().call_later(GONE_AFTER, self._show_absence, followed)

    def _show_absence(self, followed: tuple[str, ...]) -> None:
        if not self.services.hub.is_online(self.visitor_id):
            self.services.hub.visitor_came_or_went(self.visitor_id, followed, online=False)
