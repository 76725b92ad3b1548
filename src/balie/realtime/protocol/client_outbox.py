"""What a person sent and the server has not confirmed yet.

Nothing leaves it but by delivery or by the person's hand. Items are dicts of the shape in
`web/protocol/README.md` and are never changed in place; a list that did not change stays the same list.
"""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from balie.kernel.visible import shows_something
from balie.realtime.protocol.client_pace import Pace
from balie.realtime.protocol.frames import MAX_FILES, MAX_FRAME_BYTES, MAX_TEXT

Item = dict[str, Any]

ACK_WITHIN = 5_000
MAX_WAIT = 30_000
TEMPORARY = ("rate_limited", "busy", "unavailable")


class Outbox:
    """Unconfirmed messages in the order of sending."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        # Nothing goes out: it is being found out who we are. What is refused meanwhile was asked as another.
        self.held = False
        # The proven visitor that we are.
        self._owner: str | None = None
        # By client_message_id: how often it was sent, and before when not again.
        self._tries: dict[str, tuple[int, float]] = {}
        # By client_message_id: the number that the server gave it.
        self._places: dict[str, int] = {}

    def find(self, client_message_id: str | None) -> Item | None:
        for item in self.items:
            if item["client_message_id"] == client_message_id:
                return item
        return None

    def add(self, item: Item) -> None:
        if self.find(item["client_message_id"]):
            return
        if self._owner and item.get("of", self._owner) != self._owner:
            return
        error = _refusal(item)
        self.items = [*self.items, {**item, "state": "failed", "error": error} if error else item]

    def write(self, item: Item) -> None:
        """What the person writes now."""
        self.add({**item, "of": self._owner} if self._owner else item)

    def own(self, visitor: dict[str, Any] | None = None) -> None:
        """We are this visitor from now on. What another wrote who proved who he was, is nothing of his."""
        self._owner = visitor["id"] if visitor and visitor.get("verified") else None
        for item in self.items:
            if self._owner and item.get("of", self._owner) != self._owner:
                self.remove(item["client_message_id"])

    def restore(self, items: Sequence[Item]) -> None:
        """Take over what an earlier page left behind; what the server has is not kept."""
        for item in items:
            if item["state"] != "acked":
                self.add(item if item["state"] == "failed" else {**item, "state": "waiting"})

    def due(self, now: float, pace: Pace) -> list[dict[str, Any]]:
        """The frames to send now: per conversation one at a time, so that the order stays."""
        frames = []
        for item in self._heads():
            key = item["client_message_id"]
            count, at = self._tries.get(key, (0, 0))
            if now < at:
                continue
            if not pace.take(now):
                break
            again = min(MAX_WAIT, ACK_WITHIN * 2**count)
            self._tries[key] = (count + 1, now + again)
            self._change(key, state="sent")
            frames.append(_frame_of(item))
        return frames

    def next(self) -> float:
        """When `due` should be asked again, or infinity."""
        return min(
            (self._tries.get(item["client_message_id"], (0, 0))[1] for item in self._heads()),
            default=math.inf,
        )

    def ack(self, client_message_id: str, conversation: str, seq: int) -> Item | None:
        """The server stored it as `seq`. In a new conversation, those that waited for its name get it now."""
        item = self.find(client_message_id)
        if item is None or item["state"] == "acked":
            return None
        if item["conversation"] is None:
            self._name(conversation)
        self._places[client_message_id] = seq
        return self._change(client_message_id, state="acked")

    def settle(self, conversation: str, up_to: float = math.inf) -> None:
        """Events up to this number will not be handed out: what was stored among them needs no waiting."""
        for item in self.items:
            key = item["client_message_id"]
            if item["conversation"] == conversation and self._places.get(key, math.nan) <= up_to:
                self.remove(key)

    def remove(self, client_message_id: str | None, conversation: str | None = None) -> bool:
        """Its event stands in the log, or the person takes it away."""
        item = self.find(client_message_id)
        if item is None:
            return False
        if item["conversation"] is None and conversation:
            self._name(conversation)
        self.items = [
            other for other in self.items if other["client_message_id"] != client_message_id
        ]
        self._tries.pop(item["client_message_id"], None)
        self._places.pop(item["client_message_id"], None)
        return True

    def refuse(self, frame: dict[str, Any], now: float) -> None:
        """An `error` frame has come: try again later, or keep it as failed."""
        item = self.find(frame.get("ref"))
        if item is None:
            return
        key = item["client_message_id"]
        if frame["code"] not in TEMPORARY:
            if not self.held or frame["code"] != "not_found":
                self._change(key, state="failed", error=frame["code"])
            return
        count = self._tries.get(key, (1, 0))[0]
        wait = frame.get("retry_after_ms")
        if wait is None:
            wait = min(MAX_WAIT, 1_000 * 2 ** (count - 1))
        self._tries[key] = (count, now + wait)
        self._change(key, state="waiting")

    def retry(self, client_message_id: str) -> None:
        """The person wants a failed message to be sent after all."""
        item = self.find(client_message_id)
        if item is None or item["state"] != "failed":
            return
        self._tries.pop(client_message_id, None)
        again = {key: value for key, value in item.items() if key != "error"}
        again["state"] = "waiting"
        self.items = [again if old is item else old for old in self.items]

    def unsend(self) -> None:
        """The connection is gone: whatever was under way goes again."""
        self._tries.clear()
        self._edit(lambda item: item["state"] == "sent", state="waiting")

    def fail_sent(self, error: str) -> None:
        """Frames under way were too big for the server."""
        self._edit(lambda item: item["state"] == "sent", state="failed", error=error)

    def forget(self) -> None:
        """The visitor is a new one: his old conversations are not his any more."""
        self._edit(lambda item: item["conversation"] is not None, conversation=None)

    def _heads(self) -> list[Item]:
        """What goes next. A first message may have been stored by an earlier page, in a conversation that we
        know by now: nothing that was written later overtakes it."""
        if self.held:
            return []
        seen: set[str | None] = set()
        heads = []
        for item in self.items:
            conversation = item["conversation"]
            if item.get("of", self._owner) != self._owner:
                continue
            if item["state"] in ("failed", "acked") or conversation in seen or None in seen:
                continue
            seen.add(conversation)
            heads.append(item)
        return heads

    def _name(self, conversation: str) -> None:
        self._edit(lambda item: item["conversation"] is None, conversation=conversation)

    def _change(self, client_message_id: str, **change: Any) -> Item | None:
        self._edit(lambda item: item["client_message_id"] == client_message_id, **change)
        return self.find(client_message_id)

    def _edit(self, matches: Callable[[Item], bool], **change: Any) -> None:
        if any(map(matches, self.items)):
            self.items = [{**item, **change} if matches(item) else item for item in self.items]


def _frame_of(item: Item) -> dict[str, Any]:
    frame = {
        "type": item["kind"],
        "client_message_id": item["client_message_id"],
        "conversation": item["conversation"],
        "text": item["text"],
    }
    if item["kind"] == "post" and item["files"]:
        frame["files"] = [file["id"] for file in item["files"]]
    return frame


def _refusal(item: Item) -> str | None:
    """What the server would refuse is not even sent."""
    text, files = item["text"], item["files"]
    if not files and not shows_something(text):
        return "empty"
    if len(files) > MAX_FILES or len(text) > MAX_TEXT:
        return "too_long"
    # Escapes make a frame longer than its text: only what is near the limit needs counting.
    if len(text) * 6 < MAX_FRAME_BYTES - 2_048:
        return None
    encoded = json.dumps(_frame_of(item), ensure_ascii=False, separators=(",", ":"))
    return "too_long" if len(encoded.encode("utf-8", "surrogatepass")) > MAX_FRAME_BYTES else None
