"""The description of the API at /api/openapi.json, made from the routes, with every refusal in it."""

from typing import Any

import msgspec
from litestar import Request, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from balie.edge.policy import Policy
from balie.edge.problem import MEDIA_TYPE, Problem
from balie.http import bounds

PATH = "/api/openapi.json"

DESCRIPTION = """\
Customer service for a website. Errors are problem+json (RFC 9457) with a `code`. Times are milliseconds
since 1970 UTC. Agents come with the session cookie, and every unsafe request of theirs from Balie's own
origin; visitors with `Authorization: Bearer TOKEN`. Sockets are described in docs/protocol.md."""

SECURITY: dict[Policy, list[dict[str, list[str]]]] = {
    Policy.PUBLIC: [],
    Policy.VISITOR: [{"visitor": []}],
    Policy.SIGNED_IN: [{"visitor": []}, {"agent": []}],
    Policy.AGENT: [{"agent": []}],
    Policy.ADMIN: [{"agent": []}],
    Policy.OWNER: [{"agent": []}],
}


class Renderer(JsonRenderPlugin):
    """Renders the schema once, completed."""

    def __init__(self) -> None:
        super().__init__(path="/")
        self._cookie = "balie"
        self._rendered: bytes | None = None
        self._policies: dict[tuple[str, str], Policy] = {}

    def describe(self, policies: dict[tuple[str, str], Policy], cookie: str) -> None:
        """Tell who may use which route: known once all routes are."""
        self._policies = policies
        self._cookie = cookie

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        del request
        if self._rendered is None:
            complete(openapi_schema, self._policies, self._cookie)
            self._rendered = msgspec.json.encode(openapi_schema)
        return self._rendered


def config(renderer: Renderer, version: str) -> OpenAPIConfig:
    """The schema at one address, without the viewers that load scripts from elsewhere."""
    return OpenAPIConfig(
        title="Balie",
        version=version,
        description=DESCRIPTION,
        use_handler_docstrings=True,
        render_plugins=[renderer],
        openapi_router=Router(
            path=PATH,
            route_handlers=[],
            opt={"policy": Policy.PUBLIC},
            include_in_schema=False,
        ),
    )


def complete(schema: dict[str, Any], policies: dict[tuple[str, str], Policy], cookie: str) -> None:
    """Add to a schema what the routes alone do not say: problems, and who may."""
    components = schema.setdefault("components", {})
    _, problem = msgspec.json.schema_components(
        [Problem], ref_template="#/components/schemas/{name}"
    )
    components.setdefault("schemas", {}).update(problem)
    components["securitySchemes"] = {
        "agent": {"type": "apiKey", "in": "cookie", "name": cookie},
        "visitor": {"type": "http", "scheme": "bearer"},
    }
    bounds.say_how_large(components["schemas"])
    refused = {
        "description": "Refused: `code` says why.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for (verb, path), policy in policies.items():
        operation = _operation(schema, verb, path)
        if operation is None:
            continue
        responses = operation.setdefault("responses", {})
        # Litestar guesses at a 400 of its own shape.
        responses.pop("400", None)
        bounds.say_what_is_brought(path, operation)
        reference = {"$ref": "#/components/schemas/Problem"}
        responses.update(bounds.refusals(verb, path, policy, operation, reference))
        responses["default"] = refused
        operation["security"] = SECURITY[policy]
        operation["x-policy"] = policy.value


def _operation(schema: dict[str, Any], verb: str, path: str) -> dict[str, Any] | None:
    plain = "/".join(
        f"{{{part[1:-1].split(':')[0]}}}" if part.startswith("{") else part
        for part in path.split("/")
    )
    found: dict[str, Any] | None = schema.get("paths", {}).get(plain, {}).get(verb.lower())
    return found
