"""Who may use which door. A route or socket verb without a declared policy stops Balie from starting."""

from collections.abc import Iterable
from enum import Enum

from litestar.routes import ASGIRoute, BaseRoute, HTTPRoute, WebSocketRoute

from balie.kernel.actor import Actor, AgentActor, Role, VisitorActor
from balie.kernel.errors import ForbiddenError, UnauthorisedError


class Policy(Enum):
    """Who is let through. Each agent policy also lets those above it through."""

    PUBLIC = "public"
    VISITOR = "visitor"
    SIGNED_IN = "signed in"
    """Visitors and agents alike; what they see is decided by the query."""
    AGENT = "agent"
    ADMIN = "admin"
    OWNER = "owner"
    OPERATOR = "operator"
    """Whoever runs this installation, of no organisation: by his own token, see `EdgeSettings`."""


RANK: dict[Role, int] = {"agent": 0, "admin": 1, "owner": 2}
LOWEST_ROLE: dict[Policy, Role] = {
    Policy.SIGNED_IN: "agent",
    Policy.AGENT: "agent",
    Policy.ADMIN: "admin",
    Policy.OWNER: "owner",
}
KINDS: dict[Policy, tuple[type, ...]] = {
    Policy.VISITOR: (VisitorActor,),
    Policy.SIGNED_IN: (VisitorActor, AgentActor),
    Policy.AGENT: (AgentActor,),
    Policy.ADMIN: (AgentActor,),
    Policy.OWNER: (AgentActor,),
    Policy.OPERATOR: (),
}

SOCKET_VERBS: dict[tuple[str, str], Policy] = {}
"""(door, frame type) → policy; the room of the sockets declares each verb with `declare_verb`."""


class UndeclaredError(RuntimeError):
    """A door without a policy."""


def allows(policy: Policy, actor: Actor | None) -> bool:
    """Whether `policy` lets `actor` through; None is somebody unknown."""
    if policy is Policy.PUBLIC:
        return True
    if not isinstance(actor, KINDS[policy]):
        return False
    return not isinstance(actor, AgentActor) or RANK[actor.role] >= RANK[LOWEST_ROLE[policy]]


def require(policy: Policy, actor: Actor | None) -> None:
    """Raises UnauthorisedError for somebody unknown, ForbiddenError for somebody who may not."""
    if allows(policy, actor):
        return
    if actor is None or not isinstance(actor, KINDS[policy]):
        raise UnauthorisedError("sign in first")
    raise ForbiddenError(f"this takes the role {LOWEST_ROLE[policy]}; yours does not reach it")


def declare_verb(door: str, verb: str, policy: Policy) -> None:
    """Say who may send frames of type `verb` at the socket `door`."""
    SOCKET_VERBS[door, verb] = policy


def verb_policy(door: str, verb: str) -> Policy:
    """The policy of a socket verb. Raises UndeclaredError when nobody declared one."""
    try:
        return SOCKET_VERBS[door, verb]
    except KeyError:
        raise UndeclaredError(f"the frame {verb!r} at {door} has no policy") from None


def route_policies(routes: Iterable[BaseRoute]) -> dict[tuple[str, str], Policy]:
    """(verb, path) → policy of every HTTP route. Raises UndeclaredError naming those without one."""
    declared: dict[tuple[str, str], Policy] = {}
    missing: list[str] = []
    for route in routes:
        for verb, path, policy in _declarations(route):
            if isinstance(policy, Policy):
                declared[verb, path] = policy
            else:
                missing.append(f"{verb} {path}")
    if missing:
        raise UndeclaredError('routes without opt={"policy": …}: ' + ", ".join(sorted(missing)))
    return declared


def _declarations(route: BaseRoute) -> Iterable[tuple[str, str, object]]:
    if isinstance(route, HTTPRoute):
        for handler in route.route_handlers:
            # Litestar adds an OPTIONS handler to each path by itself; it only lists the verbs.
            for verb in sorted(handler.http_methods - {"OPTIONS"}):
                yield verb, route.path, handler.opt.get("policy")
    elif isinstance(route, ASGIRoute | WebSocketRoute):
        yield route.scope_type.name, route.path, route.route_handler.opt.get("policy")
