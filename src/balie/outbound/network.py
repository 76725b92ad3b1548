"""The network itself: names by the machine's resolver, connections by asyncio."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

import httpcore

from balie.outbound.addresses import Address

THREADS = 64
"""Names that are asked for at once; the machine's resolver holds a thread for each, some of them for long."""

_backend = httpcore.AnyIOBackend()
_threads = ThreadPoolExecutor(THREADS, "balie-names")


async def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, in the order in which the machine prefers them. Raises OSError."""
    found = await asyncio.get_running_loop().run_in_executor(
        _threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    )
    return list(dict.fromkeys(str(each[4][0]) for each in found))


async def connect(address: Address, port: int) -> httpcore.AsyncNetworkStream:
    """A connection to exactly this address. Raises httpcore.ConnectError."""
    return await _backend.connect_tcp(str(address), port)
