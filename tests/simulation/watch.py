"""What the server's session promises on one connection, checked by a second book beside it.

From a `resume` on, events of a conversation go out each once and in order: the next one sent is the one
after the last. An `ack` stands for its event, `resync` for all up to its number.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from balie.realtime.protocol import effects as do
from balie.realtime.protocol.session import Session, Verdict


class WatchedSession(Session):
    """The real session, watched."""

    __slots__ = ("acked", "cursor", "find")

    def __init__(self, find: Callable[[str, str], None], *args: Any) -> None:
        super().__init__(*args)
        self.find = find
        self.cursor: dict[str, int] = {}
        self.acked: set[tuple[str, int]] = set()

    def resume(self, conversation: str, last_seq: int) -> list[do.Effect]:
        self.cursor[conversation] = last_seq
        return super().resume(conversation, last_seq)

    def filled(self, conversation: str, *args: Any) -> list[do.Effect]:
        return self.check(super().filled(conversation, *args))

    def filled_partly(self, conversation: str, *args: Any) -> list[do.Effect]:
        return self.check(super().filled_partly(conversation, *args))

    def fall_behind(self, conversation: str, last_seq: int) -> list[do.Effect]:
        # What was about to be sent stays here.
        self.cursor[conversation] = min(self.cursor.get(conversation, 0), last_seq)
        return super().fall_behind(conversation, last_seq)

    def acknowledged(self, ack: Any, before: Sequence[bytes], **how: Any) -> list[do.Effect]:
        return self.check(super().acknowledged(ack, before, **how))

    def live(self, conversation: str, first: int, last: int) -> Verdict:
        verdict = super().live(conversation, first, last)
        if verdict is Verdict.SEND:
            self.sent(conversation, range(first, last + 1))
        return verdict

    def check(self, effects: list[do.Effect]) -> list[do.Effect]:
        for effect in effects:
            if isinstance(effect, do.Send):
                frame = msgspec.json.decode(effect.frame)
                handle = getattr(self, "sent_" + frame["type"], None)
                if handle:
                    handle(frame)
        return effects

    def sent_events(self, frame: dict[str, Any]) -> None:
        self.sent(frame["conversation"], [event["seq"] for event in frame["events"]])

    def sent_ack(self, frame: dict[str, Any]) -> None:
        conversation, seq = frame["conversation"], frame["seq"]
        self.acked.add((conversation, seq))
        if seq == self.cursor.get(conversation, -2) + 1:
            self.cursor[conversation] = seq

    def sent_resync(self, frame: dict[str, Any]) -> None:
        self.cursor[frame["conversation"]] = frame["last_seq"]

    def sent(self, conversation: str, seqs: Sequence[int]) -> None:
        for seq in seqs:
            cursor = self.cursor.get(conversation, 0)
            if seq > cursor + 1:
                self.find("hole", f"the server sent {seq} after {cursor} of {conversation}")
            elif seq <= cursor and (conversation, seq) not in self.acked:
                self.find("duplicate", f"the server sent {seq} again, after {cursor}")
            self.cursor[conversation] = max(cursor, seq)
