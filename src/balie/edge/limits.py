"""How often: token buckets by key, in bounded memory, and the address that a limit counts by."""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

import msgspec

from balie.kernel.errors import BusyError, RateLimitedError

Network = IPv4Network | IPv6Network

SEATS_RETRY_MS = 30_000


class Rate(msgspec.Struct, frozen=True):
    """`burst` at once, then one per `refill_ms` milliseconds."""

    burst: int
    refill_ms: float


class Bucket(msgspec.Struct):
    """Tokens left at the moment `at` (milliseconds)."""

    tokens: float
    at: int


def refill(bucket: Bucket, rate: Rate, now: int) -> None:
    """Bring the bucket up to `now`. A clock that went back gives nothing and takes nothing."""
    if now > bucket.at:
        gained = (now - bucket.at) / rate.refill_ms
        bucket.tokens = min(float(rate.burst), bucket.tokens + gained)
    bucket.at = now


class Limiter:
    """One rate for many keys. The keys not seen for longest are forgotten first.

    At most `capacity` keys are kept, so that made-up keys cost bounded memory. A key that was forgotten
    starts anew; keep `capacity` above what one attacker can invent within a refill.
    """

    def __init__(self, rate: Rate, capacity: int = 10_000) -> None:
        self._rate = rate
        self._capacity = capacity
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str, now: int, count: float = 1) -> int:
        """Take `count` tokens and return how many whole ones are left.

        Raises RateLimitedError, with the time to wait, when there are too few; then none is taken.
        """
        bucket = self._bucket(key, now)
        if bucket.tokens < count:
            wait = int((count - bucket.tokens) * self._rate.refill_ms) + 1
            raise RateLimitedError("too much in too short a time", retry_after_ms=wait)
        bucket.tokens -= count
        return int(bucket.tokens)

    def left(self, key: str, now: int) -> int:
        """How many whole tokens `key` has."""
        return int(self._bucket(key, now).tokens)

    def give_back(self, key: str, now: int, count: float = 1) -> None:
        """Undo a `take`."""
        bucket = self._bucket(key, now)
        bucket.tokens = min(float(self._rate.burst), bucket.tokens + count)

    def forgive(self, key: str) -> None:
        """Start `key` anew."""
        self._buckets.pop(key, None)

    def _bucket(self, key: str, now: int) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(float(self._rate.burst), now)
            if len(self._buckets) > self._capacity:
                self._buckets.popitem(last=False)
        else:
            refill(bucket, self._rate, now)
            self._buckets.move_to_end(key)
        return bucket


class Turnstile:
    """How many at once: at most `each` under one key, and `total` together."""

    def __init__(self, each: int, total: int) -> None:
        self._each = each
        self._total = total
        self._inside: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._inside.total()

    @contextmanager
    def inside(self, key: str) -> Iterator[None]:
        """Be one of them. Raises RateLimitedError where `key` has its share, BusyError where all is taken."""
        if self._inside[key] >= self._each:
            raise RateLimitedError("too many at once from one address; let some end first")
        if len(self) >= self._total:
            raise BusyError("too many at once; try again in a moment")
        self._inside[key] += 1
        try:
            yield
        finally:
            self._inside[key] -= 1
            # Zeroes would stay.
            self._inside += Counter()


class Seats:
    """How many connections at once under one key, for as long as they last."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._taken: dict[str, int] = {}

    def take(self, key: str) -> None:
        """Sit down, until `leave`. Raises RateLimitedError where `key` has its share."""
        taken = self._taken.get(key, 0)
        if taken >= self._each:
            raise RateLimitedError(
                "too many connections at once from here; close some", retry_after_ms=SEATS_RETRY_MS
            )
        self._taken[key] = taken + 1

    def leave(self, key: str) -> None:
        """Give back what `take` took."""
        taken = self._taken[key] - 1
        if taken:
            self._taken[key] = taken
        else:
            del self._taken[key]


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses or networks such as `10.0.0.0/8`. Raises ValueError for anything else."""
    return tuple(ip_network(text.strip(), strict=False) for text in texts if text.strip())


def client_address(peer: str, forwarded_for: str, trusted: Iterable[Network]) -> str:
    """The address of the client: `peer`, or behind trusted proxies the last hop that is not one of them.

    `forwarded_for` (X-Forwarded-For) counts only as far as trusted proxies vouch for it.
    """
    networks = tuple(trusted)
    address = _plain(peer)
    for hop in reversed([hop.strip() for hop in forwarded_for.split(",") if hop.strip()]):
        if not _within(address, networks):
            break
        found = _plain(hop)
        if _parsed(found) is None:
            break
        address = found
    return address


def limit_key(address: str) -> str:
    """What limits count by: an IPv4 address, or the /64 of an IPv6 one, which one customer gets whole."""
    parsed = _parsed(address)
    if parsed is None:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)


def shortened(address: str) -> str:
    """An address cut down for display and storage: the last part of IPv4, all after /48 of IPv6."""
    parsed = _parsed(address)
    if parsed is None:
        return ""
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed) >> 80 << 80, 48)))
    return str(parsed).rsplit(".", 1)[0] + ".x"


def _plain(text: str) -> str:
    """Without brackets, port, zone, or the IPv6 coat of an IPv4 address."""
    host = text.strip().strip('"')
    if host.startswith("["):
        host = host[1:].split("]", 1)[0]
    elif host.count(":") == 1:
        host = host.split(":", 1)[0]
    host = host.split("%", 1)[0]
    parsed = _parsed(host)
    if parsed is None:
        return host
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)


@lru_cache(maxsize=4_096)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """An address, or None. Each is looked at several times when somebody comes in."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def _within(address: str, networks: tuple[Network, ...]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)
