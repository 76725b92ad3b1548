"""Files that go with messages: brought as raw bytes, handed out only as attachments."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any, BinaryIO
from urllib.parse import quote, unquote

import structlog
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Stream

from balie.conversations import queries
from balie.conversations.api.services import Services
from balie.conversations.authors import author_key
from balie.conversations.media import recognise, safe_name
from balie.conversations.model import StoredFile
from balie.conversations.runnable import is_runnable
from balie.conversations.traces import without_traces
from balie.edge.auth import address_of
from balie.edge.limits import limit_key
from balie.edge.policy import Policy
from balie.kernel.actor import Actor
from balie.kernel.errors import (
    BalieError,
    EmptyError,
    NotFoundError,
    RunnableError,
    TooLongError,
    UnavailableError,
)
from balie.kernel.events import File

log = structlog.get_logger("balie.conversations")

SIGNED_IN = {"policy": Policy.SIGNED_IN}

PIECE = 128 * 1024
"""Bytes of a file that are in memory while it is handed out."""

VISITORS_AT_AN_ADDRESS = 8
"""Who may bring as many files as each of them alone may."""

# Nothing in a file may run, load or be framed, whatever it is and however it is opened.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}


@post("/files", opt={**SIGNED_IN, "body": "raw"}, request_max_body_size=None)
async def bring(request: Request[Any, Any, Any], services: Services) -> File:
    """Bring a file; a message then names it. The body is the file, `X-File-Name` its name."""
    address = limit_key(address_of(request, services.edge))
    with services.uploading.inside(address):
        return await _brought(request, services, address)


async def _brought(request: Request[Any, Any, Any], services: Services, address: str) -> File:
    actor: Actor = request.scope["user"]
    now = services.ports.clock()
    services.upload_limit.take(author_key(actor), now)
    # Tokens of visitors are free: who draws many still has one address.
    services.upload_limit.take(f"address:{address}", now, 1 / VISITORS_AT_AN_ADDRESS)
    size = _announced(request, services.max_file_bytes)
    with services.allowance.holding(actor, address, size or services.max_file_bytes, now) as hold:
        await services.store.read(
            lambda c: services.allowance.check(c, actor, size or 1), of=actor.organisation_id
        )
        file = await _kept(request, services, actor)
        hold.keep(file.size)
    return file


def _announced(request: Request[Any, Any, Any], limit: int) -> int:
    """How many bytes will come; 0 from who does not tell. Raises TooLongError."""
    told = request.headers.get("content-length", "")
    size = int(told) if told.isdigit() else 0
    if size > limit:
        raise _too_large(limit)
    return size


async def _kept(request: Request[Any, Any, Any], services: Services, actor: Actor) -> File:
    brought = await _body(request, services.max_file_bytes)
    name = safe_name(unquote(request.headers.get("x-file-name", "")[:2_000], errors="replace"))
    if is_runnable(brought, name):
        raise RunnableError("a file that runs when it is opened is not taken; put it in a zip file")
    media = recognise(brought, name)
    content = await asyncio.to_thread(without_traces, media.media_type, brought)
    file = StoredFile(
        id=services.ports.new_id(),
        organisation_id=actor.organisation_id,
        author_id=author_key(actor),
        conversation_id=None,
        name=name,
        media_type=media.media_type,
        size=len(content),
        width=media.width,
        height=media.height,
        sha256=hashlib.sha256(content).hexdigest(),
        created_at=services.ports.clock(),
    )
    await _store(services, actor, file, content)
    return File(file.id, name, media.media_type, len(content), media.width, media.height)


async def _store(services: Services, actor: Actor, file: StoredFile, content: bytes) -> None:
    try:
        await asyncio.to_thread(services.blobs.write, file.id, content)
        # Asked again with the row, for others came in meanwhile.
        await services.conversations.keep_file(
            file, lambda c: services.allowance.check(c, actor, file.size)
        )
    except (BalieError, OSError) as error:
        await asyncio.to_thread(services.blobs.discard, file.id)
        if isinstance(error, BalieError):
            raise
        log.error("a file cannot be written", error=error.strerror)  # noqa: TRY400 - the place says all
        raise UnavailableError("the disk takes no files now; nothing was stored") from None


async def _body(request: Request[Any, Any, Any], limit: int) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise _too_large(limit)
    if not content:
        raise EmptyError("the file is empty")
    return bytes(content)


def _too_large(limit: int) -> TooLongError:
    return TooLongError(f"a file has at most {limit} bytes")


@get("/files/{file_id:str}", opt=SIGNED_IN)
async def hand_out(
    request: Request[Any, Any, Any], services: Services, file_id: FromPath[str]
) -> Stream:
    """The bytes of a file that one may see."""
    actor: Actor = request.scope["user"]
    file = await queries.find_file(services.store, actor, file_id)
    try:
        blob = await asyncio.to_thread(services.blobs.open, file.id)
    except FileNotFoundError:
        raise NotFoundError("this file is gone") from None
    return Stream(
        _pieces(blob),
        media_type=file.media_type,
        headers={
            **HEADERS,
            "Content-Disposition": disposition(file.name),
            "Content-Length": str(file.size),
        },
    )


async def _pieces(blob: BinaryIO) -> AsyncIterator[bytes]:
    """As fast as they are taken: whoever asks for a file and does not read it costs one piece."""
    with blob:
        while piece := await asyncio.to_thread(blob.read, PIECE):
            yield piece


def disposition(name: str) -> str:
    """`attachment` with a name that every browser reads the same (RFC 6266, RFC 8187)."""
    plain = "".join(c if (c.isascii() and c.isalnum()) or c in " .-_" else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


HANDLERS = [bring, hand_out]
