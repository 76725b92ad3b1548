"""`python -m tests.faults.writing FOLDER`: the store that ships, under load, saying what is acked.

Each ack is a line `conversation seq client_message_id` in FOLDER/acks, written when the sender would be told.
"""

import argparse
import asyncio
import os
import random
import time
from pathlib import Path
from typing import Any

from sqlalchemy import event

from balie.contacts import model as contacts
from balie.conversations.commands import ConversationCommands, note, post
from balie.conversations.projection import ConversationProjection
from balie.kernel.actor import AgentActor, VisitorActor
from balie.kernel.events import ConversationStarted
from balie.kernel.ids import ENTROPY_BYTES, new_id
from balie.store import sqlite
from balie.store.engine import LogStore
from balie.store.schema import metadata

ORGANISATION, SITE = "o1", "s1"
CHECKPOINT_PAGES = 60
"""Checkpoints come often here, so that many cuts fall into one."""

assert contacts  # its tables belong to the metadata


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--messages", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--synchronous", help="weaken the store, to see the loss that follows")
    asked = parser.parse_args()
    sqlite.WAL_CHECKPOINT_PAGES = CHECKPOINT_PAGES
    asyncio.run(Load(asked).run())


class Load:
    """People who talk as fast as they are answered."""

    def __init__(self, asked: Any) -> None:
        self.asked = asked
        self.chance = random.Random(asked.seed)
        self.store = LogStore(
            sqlite.open_store(asked.folder / "balie.sqlite3"), ConversationProjection()
        )
        self.commands = ConversationCommands(self.store, clock)
        self.acks = os.open(asked.folder / "acks", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def run(self) -> None:
        if self.asked.synchronous:
            for engine in (self.store.driver.readers, self.store.driver.writes):
                event.listen(engine, "connect", self.weaken)
        metadata.create_all(self.store.driver.readers)
        self.store.start()
        os.write(self.acks, b"READY\n")
        await asyncio.gather(*(self.talk(number) for number in range(20)))
        await self.store.stop()

    def weaken(self, connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA synchronous={self.asked.synchronous}")

    async def talk(self, number: int) -> None:
        """One visitor and an agent in one conversation, in turn."""
        visitor = VisitorActor(
            organisation_id=ORGANISATION, site_id=SITE, visitor_id=f"visitor{number}"
        )
        agent = AgentActor(organisation_id=ORGANISATION, agent_id="a", name="Anna", role="agent")
        opening = ConversationStarted(site=SITE)
        conversation = await self.say(post(visitor, None, self.key(), "begin", opening=opening))
        for turn in range(self.asked.messages // 20):
            text = f"{turn} " + "x" * self.chance.choice((0, 20, 300, 3_000))
            if self.chance.random() < 0.2:
                await self.say(note(agent, conversation, self.key(), text))
            else:
                await self.say(post((visitor, agent)[turn % 2], conversation, self.key(), text))
            self.commands.mark(visitor, conversation, turn, turn)

    async def say(self, command: Any) -> str:
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def acked(appended: Any, error: BaseException | None) -> None:
            if error is not None:
                done.set_exception(error)
                return
            said = appended.last
            line = f"{said.conversation_id} {said.seq} {said.client_message_id}\n"
            os.write(self.acks, line.encode())
            done.set_result(said.conversation_id)

        self.commands.post_message_later(command, acked)
        return await done

    def key(self) -> str:
        return new_id(clock(), self.chance.randbytes(ENTROPY_BYTES))


def clock() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    main()
