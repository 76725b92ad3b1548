"""What a server does by itself: events become jobs, jobs are done."""

from typing import Any

from sqlalchemy import Connection

from balie.app.settings import Settings
from balie.edge.limits import Limiter
from balie.edge.ports import Ports
from balie.integrations.api import TESTS, WebhookServices
from balie.integrations.commands import WebhookCommands
from balie.integrations.model import QUEUE
from balie.integrations.reactions import Listeners, WebhookSender
from balie.jobs import queue
from balie.jobs.feeding import Feeder
from balie.jobs.model import Job, Standing, State
from balie.jobs.running import Runner
from balie.outbound import network
from balie.outbound.door import Door
from balie.store.scope import EVERYWHERE


class Background:
    """Built with the house; `start` and `stop` it where one serves, after and before the store."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        # In a file nobody else works.
        self._alone = not settings.database_url
        self._ports = ports
        door = Door(network.resolve, network.connect, allowed=settings.outbound_allow)
        commands = WebhookCommands(ports, door)
        sender = WebhookSender(ports, door, commands)
        self.runner = Runner(ports.store, ports.clock, ports.entropy, {QUEUE: sender})
        self.feeder = Feeder(ports.store, ports.clock, QUEUE, Listeners().find_taker)
        self.feeder.on_fed = self.runner.wake
        self.webhooks = WebhookServices(
            ports=ports,
            commands=commands,
            sender=sender,
            test_limit=Limiter(TESTS),
            wake=self.runner.wake,
        )

    def appended(self, _: Any) -> None:
        """The log has grown in this process; of others the feeder finds out by itself."""
        self.feeder.wake()

    async def find_jobs(self, state: State | None, limit: int) -> list[Job]:
        """Jobs of everybody, youngest first: for the command line."""
        return await self._ports.store.read(
            lambda c: queue.find_all(c, (state,) if state else (), limit), of=EVERYWHERE
        )

    async def standing(self) -> Standing:
        """How the jobs of everybody stand."""
        now = self._ports.clock()
        return await self._ports.store.read(lambda c: queue.count(c, now), of=EVERYWHERE)

    async def one_job(self, job_id: str, *, again: bool = False) -> Job:
        """One of them, begun anew if asked; a server that runs takes it within a second. Raises
        NotFoundError, ConflictError."""
        now = self._ports.clock()

        def find(connection: Connection) -> Job:
            owner = queue.find_owner(connection, job_id)
            if again:
                return queue.replay(connection, owner, job_id, now)
            return queue.find_job(connection, owner, job_id)

        return await self._ports.store.write(find, of=EVERYWHERE)

    async def start(self) -> None:
        await self.runner.start(alone=self._alone)
        await self.feeder.start()

    async def stop(self) -> None:
        """Let what is in hand end, for some seconds."""
        await self.feeder.stop()
        await self.runner.stop()
