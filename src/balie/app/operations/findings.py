"""What was found, in plain words, each with what to do about it."""

from collections import Counter
from collections.abc import Iterable

import msgspec

SHOWN = 20
"""Findings of one kind that are told one by one; the others are only counted."""


class Finding(msgspec.Struct, frozen=True):
    """`where` names the row, file or table; `do` says what comes next."""

    kind: str
    where: str
    what: str
    do: str


class Findings:
    """Collects them, and keeps few of each kind."""

    def __init__(self, advice: dict[str, str]) -> None:
        self._advice = advice
        self.kept: list[Finding] = []
        self.counts: Counter[str] = Counter()

    def add(self, kind: str, where: object, what: str) -> None:
        """Note one. `kind` is a word of the advice."""
        self.counts[kind] += 1
        if self.counts[kind] <= SHOWN:
            self.kept.append(Finding(kind, str(where)[:200], what[:400], self._advice[kind]))

    def __bool__(self) -> bool:
        return bool(self.counts)


def in_lines(findings: Iterable[Finding], counts: dict[str, int]) -> Iterable[str]:
    """For people, kind by kind, the advice once for each."""
    by_kind: dict[str, list[Finding]] = {}
    for finding in findings:
        by_kind.setdefault(finding.kind, []).append(finding)
    for kind, some in by_kind.items():
        yield ""
        yield f"{kind} ({counts[kind]:,})"
        for finding in some:
            yield f"  {finding.where}: {finding.what}"
        if counts[kind] > len(some):
            yield f"  and {counts[kind] - len(some):,} more"
        yield f"  What to do: {some[0].do}"
