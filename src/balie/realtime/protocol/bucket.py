"""A token bucket: so many at once, so many a second. Pure; the time is handed in."""


class Bucket:
    """Holds at most `burst` tokens and gains `rate` a second."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = 0

    def take(self, now: int) -> int:
        """0 when a token was there, else the milliseconds until there is one. A clock set back gives none."""
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate / 1_000)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0
        return int((1 - self._tokens) / self._rate * 1_000) + 1
