"""A progress bar on a terminal, and nothing anywhere else."""

import sys
import time
from typing import Self

WIDTH = 30
EVERY = 0.1


class ProgressBar:
    """Drawn on stderr. Call it with (done, all); leave it as a context. A `vanishing` one goes by itself when
    all is done."""

    def __init__(self, label: str, *, quiet: bool = False, vanishing: bool = False) -> None:
        self._label = label
        self._vanishing = vanishing
        self._shown = sys.stderr.isatty() and not quiet
        self._drawn_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._vanish()

    def _vanish(self) -> None:
        if self._shown and self._drawn_at:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def __call__(self, done: int, everything: int) -> None:
        now = time.monotonic()
        if not self._shown or (now - self._drawn_at < EVERY and done < everything):
            return
        self._drawn_at = now
        sys.stderr.write(f"\r\033[K{bar(self._label, done, everything)}")
        sys.stderr.flush()
        if self._vanishing and done >= everything:
            self._vanish()


def bar(label: str, done: int, everything: int) -> str:
    """The bar as text."""
    share = done / everything if everything else 1.0
    filled = round(share * WIDTH)
    return f"{label} {'█' * filled}{'░' * (WIDTH - filled)} {done:,} / {everything:,}"
