"""Every door has a policy, and a policy lets through whom it names."""

import pytest
from litestar import Litestar, Router, asgi, get, post

from balie.edge import policy
from balie.edge.policy import Policy, allows, require, route_policies, verb_policy
from balie.kernel.actor import AgentActor, SystemActor, VisitorActor
from balie.kernel.errors import ForbiddenError, UnauthorisedError

VISITOR = VisitorActor(organisation_id="o", site_id="s", visitor_id="v")
AGENT, ADMIN, OWNER = (
    AgentActor(organisation_id="o", agent_id=role, name=role, role=role)
    for role in ("agent", "admin", "owner")
)
EVERYBODY = (None, VISITOR, AGENT, ADMIN, OWNER)


@pytest.mark.parametrize(
    ("wanted", "through"),
    [
        (Policy.PUBLIC, EVERYBODY),
        (Policy.VISITOR, (VISITOR,)),
        (Policy.SIGNED_IN, (VISITOR, AGENT, ADMIN, OWNER)),
        (Policy.AGENT, (AGENT, ADMIN, OWNER)),
        (Policy.ADMIN, (ADMIN, OWNER)),
        (Policy.OWNER, (OWNER,)),
        (Policy.OPERATOR, ()),
    ],
)
def test_who_gets_through(wanted, through):
    assert tuple(actor for actor in EVERYBODY if allows(wanted, actor)) == through
    # Nobody comes over HTTP as Balie itself.
    assert allows(wanted, SystemActor(organisation_id="o")) == (wanted is Policy.PUBLIC)


def test_unknown_and_unallowed_are_two_answers():
    with pytest.raises(UnauthorisedError):
        require(Policy.AGENT, None)
    with pytest.raises(UnauthorisedError):
        require(Policy.AGENT, VISITOR)
    with pytest.raises(ForbiddenError, match="owner"):
        require(Policy.OWNER, ADMIN)


def test_routes_without_a_policy_are_named():
    @get("/fine", opt={"policy": Policy.AGENT})
    async def fine() -> None: ...

    @post("/open")
    async def forgotten() -> None: ...

    @asgi("/raw", is_mount=True, copy_scope=True)
    async def raw(scope: dict, receive: object, send: object) -> None: ...

    app = Litestar([Router("/in", route_handlers=[fine, forgotten]), raw], openapi_config=None)
    with pytest.raises(policy.UndeclaredError) as told:
        route_policies(app.routes)
    assert "POST /in/open" in str(told.value)
    assert "ASGI /raw" in str(told.value)
    assert "/fine" not in str(told.value)


def test_a_socket_verb_without_a_policy_is_named(monkeypatch):
    monkeypatch.setattr(policy, "SOCKET_VERBS", {})
    policy.declare_verb("visitor", "post", Policy.VISITOR)
    assert verb_policy("visitor", "post") is Policy.VISITOR
    with pytest.raises(policy.UndeclaredError, match="note"):
        verb_policy("visitor", "note")
