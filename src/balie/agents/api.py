"""The doors of agents over HTTP: signing in, people, one-time links, pictures, and a site's public state."""

import re
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post, put
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from balie.agents import queries, views
from balie.agents.commands import AgentChange, NewAgent
from balie.agents.model import Agent
from balie.agents.pictures import BYTES_LIMIT
from balie.agents.room import AgentRoom
from balie.agents.sign_in import COOKIE_SECONDS
from balie.agents.state import SiteState
from balie.edge.auth import CurrentAgent, address_of, session_cookie
from balie.edge.cross_origin import origin_of
from balie.edge.origins import same_origin
from balie.edge.policy import Policy
from balie.kernel.actor import AgentActor, SystemActor
from balie.kernel.errors import ForbiddenError, NotFoundError
from balie.organisations.model import Language
from balie.organisations.queries import find_organisation
from balie.store.scope import EVERYWHERE

PUBLIC = {"policy": Policy.PUBLIC}
AGENT = {"policy": Policy.AGENT}
ADMIN = {"policy": Policy.ADMIN}

STATE_CACHE = "public, max-age=10, stale-while-revalidate=50"
PICTURE_CACHE = "public, max-age=31536000, immutable"

AnyRequest = Request[Any, Any, Any]

_PICTURE_NAME = re.compile(r"([0-9a-f]{64})\.webp", re.ASCII)

Room = NamedDependency[AgentRoom]


class Credentials(msgspec.Struct, frozen=True):
    email: str
    password: str


class SelfChange(msgspec.Struct, frozen=True, kw_only=True):
    """What of oneself is to change; a new `password` takes the `current_password`."""

    name: str | None = None
    language: Language | None = None
    settings: dict[str, Any] | None = None
    password: str | None = None
    current_password: str | None = None


class Acceptance(msgspec.Struct, frozen=True):
    """`name` is taken with an invitation only."""

    password: str
    name: str | None = None


def routes(room: AgentRoom) -> list[Router]:
    """The routes of this room: those under /api/v1, and the public pictures."""
    dependencies = {"room": Provide(lambda: room, sync_to_thread=False)}
    api = Router(
        path="/api/v1",
        route_handlers=[
            sign_in,
            show_session,
            recognise,
            sign_out,
            list_sessions,
            end_session,
            change_self,
            issue_ticket,
            show_invitation,
            accept_invitation,
            list_agents,
            create_agent,
            change_agent,
            invite_agent,
            set_picture,
            show_state,
        ],
        dependencies=dependencies,
        tags=["agents"],
    )
    return [api, Router(path="/", route_handlers=[show_picture], dependencies=dependencies)]


@post("/session", opt=PUBLIC, status_code=200)
async def sign_in(
    room: Room, request: AnyRequest, data: JSONBody[Credentials]
) -> Response[views.SessionView]:
    """Sign in. A wrong password says how many tries are left, for an unknown address just the same."""
    token, agent, _ = await room.sign_in.sign_in(
        data.email, data.password, address_of(request, room.settings), _user_agent(request)
    )
    return await _signed_in(room, agent, token)


@get("/session", opt=AGENT)
async def show_session(actor: CurrentAgent, room: Room) -> views.SessionView:
    """Who am I."""
    return await _session_of(room, actor)


@get("/recognition", opt=PUBLIC)
async def recognise(room: Room, request: AnyRequest) -> Response[views.SessionView | None]:
    """Who am I, for a page that does not know yet; 204 for somebody unknown, which is no fault."""
    actor = await room.sign_in(request)
    if actor is None:
        return Response(None, status_code=204)
    return Response(await _session_of(room, actor))


@delete("/session", opt=AGENT)
async def sign_out(actor: CurrentAgent, room: Room) -> Response[None]:
    """Sign out."""
    await room.sign_in.end_session(actor, actor.session_id)
    cookie = session_cookie(room.settings, "", 0)
    return Response(None, cookies=[cookie], headers={"Clear-Site-Data": '"cache"'})


@get("/sessions", opt=AGENT)
async def list_sessions(actor: CurrentAgent, room: Room) -> views.SessionList:
    """Where one is signed in."""
    now = room.ports.clock()
    found = await room.ports.store.read(
        lambda c: queries.find_sessions(c, actor, now), of=actor.organisation_id
    )
    return views.SessionList([views.sign_in_session(item, actor.session_id) for item in found])


@delete("/sessions/{session_id:str}", opt=AGENT)
async def end_session(actor: CurrentAgent, room: Room, session_id: FromPath[str]) -> None:
    """End one of one's own sessions; its sockets close."""
    await room.sign_in.end_session(actor, session_id)


@patch("/session/agent", opt=AGENT)
async def change_self(
    actor: CurrentAgent,
    room: Room,
    request: AnyRequest,
    data: JSONBody[SelfChange],
) -> Response[views.SessionView]:
    """Change oneself. A new password ends every other session and renews this one's cookie."""
    cookies = []
    if data.password is not None:
        token = await room.sign_in.change_password(
            actor, data.current_password or "", data.password, address_of(request, room.settings)
        )
        cookies = [session_cookie(room.settings, token, COOKIE_SECONDS)]
    await room.commands.change_self(
        actor, name=data.name, language=data.language, settings=data.settings
    )
    return Response(await _session_of(room, actor), cookies=cookies)


@post("/socket-tickets", opt=AGENT)
async def issue_ticket(actor: CurrentAgent, room: Room) -> views.TicketView:
    """A ticket that opens one socket within 30 seconds, under this session."""
    return views.TicketView(await room.tickets.issue(actor))


@get("/invitations/{token:str}", opt=PUBLIC)
async def show_invitation(room: Room, token: FromPath[str]) -> views.InvitationView:
    """What a one-time link opens."""
    now = room.ports.clock()
    invitation, agent = await room.ports.store.read(
        lambda c: queries.find_invitation(c, token, now), of=EVERYWHERE
    )
    inside = SystemActor(organisation_id=agent.organisation_id)
    organisation = await room.ports.store.read(
        lambda c: find_organisation(c, inside), of=inside.organisation_id
    )
    return views.invitation_view(invitation, agent, organisation)


@put("/invitations/{token:str}/acceptance", opt=PUBLIC)
async def accept_invitation(
    room: Room,
    request: AnyRequest,
    token: FromPath[str],
    data: JSONBody[Acceptance],
) -> Response[views.SessionView]:
    """Use a one-time link: choose a password, and be signed in."""
    agent = await room.commands.accept(token, data.name, data.password)
    session_token, _ = await room.sign_in.open_session(
        agent, address_of(request, room.settings), _user_agent(request)
    )
    return await _signed_in(room, agent, session_token)


@get("/agents", opt=AGENT)
async def list_agents(actor: CurrentAgent, room: Room) -> views.AgentList:
    """The people of the organisation, by name."""
    now = room.ports.clock()
    found, links = await room.ports.store.read(
        lambda c: (queries.find_agents(c, actor), queries.find_open_invitations(c, actor, now)),
        of=actor.organisation_id,
    )
    return views.AgentList(
        [
            views.agent_view(
                agent,
                room.presence.state(agent.id, now),
                whole=actor.administers,
                link_expires_at=links.get(agent.id),
            )
            for agent in found
        ]
    )


@post("/agents", opt=ADMIN)
async def create_agent(actor: CurrentAgent, room: Room, data: JSONBody[NewAgent]) -> views.Invited:
    """Invite somebody: the link is for you to hand over, however you like."""
    agent, link = await room.commands.create_agent(actor, data)
    view = views.agent_view(agent, whole=True, link_expires_at=link.expires_at)
    return views.Invited(view, link)


@patch("/agents/{agent_id:str}", opt=ADMIN)
async def change_agent(
    actor: CurrentAgent,
    room: Room,
    agent_id: FromPath[str],
    data: JSONBody[AgentChange],
) -> views.AgentView:
    """Change somebody; disabling ends his sessions and closes his sockets."""
    agent = await room.commands.change_agent(actor, agent_id, data)
    state = room.presence.state(agent.id, room.ports.clock())
    return views.agent_view(agent, state, whole=True)


@post("/agents/{agent_id:str}/invitation", opt=ADMIN)
async def invite_agent(actor: CurrentAgent, room: Room, agent_id: FromPath[str]) -> views.Invited:
    """A new one-time link, for a first or a new password; earlier ones stop working."""
    agent, link = await room.commands.invite(actor, agent_id)
    view = views.agent_view(agent, whole=True, link_expires_at=link.expires_at)
    return views.Invited(view, link)


@put(
    "/agents/{agent_id:str}/picture",
    opt={**AGENT, "body": "raw"},
    request_max_body_size=BYTES_LIMIT + 1,
)
async def set_picture(
    actor: CurrentAgent,
    room: Room,
    request: AnyRequest,
    agent_id: FromPath[str],
) -> views.PictureView:
    """Give oneself a picture, or, as an administrator, anybody: the bytes of a JPEG, PNG, WebP or GIF."""
    agent = await room.commands.set_picture(actor, agent_id, await request.body())
    return views.PictureView(str(agent.picture))


@get(
    "/sites/{key:str}/state",
    opt=PUBLIC,
    media_type="application/json",
    responses={200: ResponseSpec(SiteState, generate_examples=False, description="The state.")},
)
async def show_state(room: Room, request: AnyRequest, key: FromPath[str]) -> Response[bytes]:
    """What a launcher needs to know; for pages of the site's own origins."""
    encoded = await room.states.find(key)
    if encoded is None:
        raise NotFoundError("no such site")
    headers = {
        "Cache-Control": STATE_CACHE,
        "ETag": encoded.etag,
        "Vary": "Origin",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    origin = origin_of(request.scope) or None
    if origin is not None:
        if not same_origin(origin, {*encoded.site.origins, *room.settings.origins}):
            raise ForbiddenError("this origin is not among the site's allowed origins")
        headers["Access-Control-Allow-Origin"] = origin
    if request.headers.get("if-none-match") == encoded.etag:
        return Response(b"", status_code=304, headers=headers)
    return Response(encoded.body, media_type="application/json", headers=headers)


@get("/pictures/{name:str}", opt=PUBLIC, include_in_schema=False)
async def show_picture(room: Room, name: FromPath[str]) -> Response[bytes]:
    """A picture, for ever the same under its name."""
    match = _PICTURE_NAME.fullmatch(name)
    if match is None:
        raise NotFoundError("no such picture")
    content = await room.ports.store.read(
        lambda c: queries.find_picture(c, match[1]), of=EVERYWHERE
    )
    headers = {
        "Cache-Control": PICTURE_CACHE,
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return Response(content, media_type="image/webp", headers=headers)


async def _signed_in(room: AgentRoom, agent: Agent, token: str) -> Response[views.SessionView]:
    inside = SystemActor(organisation_id=agent.organisation_id)
    organisation = await room.ports.store.read(
        lambda c: find_organisation(c, inside), of=inside.organisation_id
    )
    cookie = session_cookie(room.settings, token, COOKIE_SECONDS)
    return Response(views.session_view(agent, organisation), cookies=[cookie])


async def _session_of(room: AgentRoom, actor: AgentActor) -> views.SessionView:
    agent, organisation = await room.ports.store.read(
        lambda c: (queries.find_agent(c, actor, actor.agent_id), find_organisation(c, actor)),
        of=actor.organisation_id,
    )
    return views.session_view(agent, organisation)


def _user_agent(request: AnyRequest) -> str:
    return request.headers.get("user-agent", "")
