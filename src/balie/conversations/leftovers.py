"""Bytes without a row: what a crash left between a commit and the deletion of a file, or before its row."""

import asyncio
from collections.abc import Callable
from itertools import islice

from sqlalchemy import Connection, select

from balie.conversations.model import files
from balie.kernel.ids import milliseconds_of
from balie.store.blobs import Blobs
from balie.store.engine import Store
from balie.store.scope import EVERYWHERE

YOUNG_MS = 10 * 60_000
"""A file comes before its row; one that is younger than this may still be waiting for it."""
FOLDERS = 64
"""Folders that one question to the store is about."""


async def delete_leftovers(store: Store, blobs: Blobs, now: int) -> int:
    """Delete blobs that no row names. Returns how many."""
    folders = blobs.folders()
    deleted = 0
    while found := await asyncio.to_thread(lambda: list(islice(folders, FOLDERS))):
        old = [each for ids in found for each in ids if milliseconds_of(each) < now - YOUNG_MS]
        for orphan in await _orphans(store, old):
            await asyncio.to_thread(blobs.discard, orphan)
            deleted += 1
    return deleted


async def _orphans(store: Store, ids: list[str]) -> list[str]:
    orphans: list[str] = []
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        known = await store.read(_known(some), of=EVERYWHERE)
        orphans += [each for each in some if each not in known]
    return orphans


def _known(ids: list[str]) -> Callable[[Connection], set[str]]:
    query = select(files.c.id).where(files.c.id.in_(ids))
    return lambda connection: set(connection.execute(query).scalars())
