"""What the description of the API says beside the routes: how large things may be, files as bodies, and the
refusals of each route with their codes."""

from typing import Any

from balie.agents.commands import NAME_LIMIT as AGENT_NAME
from balie.agents.pictures import BYTES_LIMIT as PICTURE_BYTES
from balie.conversations.api.agents import TAG_LENGTH
from balie.conversations.commands import MAX_FILES, MAX_TEXT
from balie.conversations.told import NAME_LENGTH as EVENT_NAME
from balie.edge.policy import Policy
from balie.organisations.rules import NAME_LIMIT, ORIGINS_LIMIT

EMAIL_CHARACTERS = 254

LONGEST: dict[str, dict[str, int]] = {
    "NewMessage": {"text": MAX_TEXT},
    "NewNote": {"text": MAX_TEXT},
    "NewEvent": {"name": EVENT_NAME},
    "NewAgent": {"name": AGENT_NAME, "email": EMAIL_CHARACTERS},
    "AgentChange": {"name": AGENT_NAME},
    "SelfChange": {"name": AGENT_NAME},
    "Acceptance": {"name": AGENT_NAME},
    "NewSite": {"name": NAME_LIMIT},
    "SitePatch": {"name": NAME_LIMIT},
}
"""Characters of a text, by shape and field."""

MOST: dict[str, dict[str, int]] = {
    "NewMessage": {"files": MAX_FILES},
    "NewSite": {"origins": ORIGINS_LIMIT},
    "SitePatch": {"origins": ORIGINS_LIMIT},
}
"""How many of a list."""

CODES: dict[int, tuple[str, ...]] = {
    400: ("malformed",),
    401: ("unauthorised", "wrong_password"),
    403: ("forbidden",),
    404: ("not_found",),
    409: ("conflict", "taken", "closed"),
    413: ("too_long",),
    415: ("unsupported_media_type", "runnable"),
    422: ("malformed", "empty"),
    429: ("rate_limited",),
    500: ("internal",),
    503: ("busy", "unavailable"),
}
"""What `code` may be, by status."""

WAIT = {
    "Retry-After": {
        "description": "Seconds to wait, rounded up; `retry_after_ms` in the body is exact.",
        "schema": {"type": "integer"},
    }
}


def say_how_large(schemas: dict[str, Any]) -> None:
    """Add to each shape the most that its fields take."""
    for bounds, word in ((LONGEST, "maxLength"), (MOST, "maxItems")):
        for shape, fields in bounds.items():
            properties = schemas.get(shape, {}).get("properties", {})
            for field, most in fields.items():
                _bound(properties.get(field, {}), word, most)


def _bound(schema: dict[str, Any], word: str, most: int) -> None:
    kind = {"maxLength": "string", "maxItems": "array"}[word]
    for choice in schema.get("oneOf", [schema]):
        if choice.get("type") == kind:
            choice[word] = most


def say_what_is_brought(path: str, operation: dict[str, Any]) -> None:
    """Describe bodies that are no JSON, and the length of a label in the address."""
    if path.endswith("/files"):
        operation["requestBody"] = _bytes("The file, as it is.", "application/octet-stream")
        operation.setdefault("parameters", []).append(
            {
                "name": "X-File-Name",
                "in": "header",
                "required": False,
                "description": "Its name: UTF-8, percent-encoded. `file` without it.",
                "schema": {"type": "string", "maxLength": 2_000},
            }
        )
    elif path.endswith("/picture"):
        operation["requestBody"] = _bytes(
            f"A JPEG, PNG, WebP or GIF of at most {PICTURE_BYTES} bytes.", "image/*"
        )
    for parameter in operation.get("parameters", []):
        if parameter.get("in") == "path" and parameter.get("name") == "tag":
            parameter.setdefault("schema", {})["maxLength"] = TAG_LENGTH


def _bytes(description: str, media_type: str) -> dict[str, Any]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {"required": True, "description": description, "content": content}


def refusals(
    verb: str, path: str, policy: Policy, operation: dict[str, Any], problem: dict[str, Any]
) -> dict[str, Any]:
    """The refusals that this route may answer with, by status."""
    return {
        str(status): _refusal(status, problem)
        for status in sorted(_statuses(verb, path, policy, operation))
    }


def _statuses(verb: str, path: str, policy: Policy, operation: dict[str, Any]) -> set[int]:
    found = {500, 503}
    if policy is not Policy.PUBLIC:
        found |= {401, 403}
    if path.endswith("/session"):
        found.add(401)
    if "{" in path:
        found.add(404)
    if operation.get("parameters"):
        found.add(422)
    if verb != "GET":
        found |= {403, 409}
    if "requestBody" in operation:
        found |= {400, 413, 415, 422}
    if policy in (Policy.VISITOR, Policy.SIGNED_IN) or verb == "POST":
        found.add(429)
    return found


def _refusal(status: int, problem: dict[str, Any]) -> dict[str, Any]:
    codes = list(CODES[status])
    told = {"allOf": [problem, {"properties": {"code": {"type": "string", "enum": codes}}}]}
    refused: dict[str, Any] = {
        "description": "Refused: " + " or ".join(f"`{code}`" for code in codes) + ".",
        "content": {"application/problem+json": {"schema": told}},
    }
    if status in (429, 503):
        refused["headers"] = WAIT
    return refused
