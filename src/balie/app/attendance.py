"""Who is at the desk: what consoles and panels are told of agents who come, go and change."""

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog

from balie.agents.model import Agent
from balie.agents.presence import Change
from balie.agents.queries import find_agent, find_agents
from balie.agents.room import AgentRoom
from balie.app.elsewhere import Elsewhere
from balie.kernel.actor import AgentActor, SystemActor
from balie.kernel.errors import BalieError
from balie.kernel.events import AgentName
from balie.kernel.ports import Clock
from balie.kernel.shapes import AgentState, Desk
from balie.realtime.hub import Hub
from balie.store.engine import Store

EXPIRE_EVERY = 5.0

log = structlog.get_logger("balie.app")


class Attendance:
    """Turns signs of life into what people see."""

    def __init__(
        self, store: Store, clock: Clock, hub: Hub, agents: AgentRoom, elsewhere: Elsewhere
    ) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub
        self._presence = agents.presence
        self._elsewhere = elsewhere
        self._tasks: set[asyncio.Task[None]] = set()
        agents.commands.on_agent_changed.append(self._agent_changed)
        elsewhere.on_presence = self._tell_changes
        elsewhere.on_agent_changed = self._agent_changed_elsewhere

    async def watch(self) -> None:
        """Notice who fell silent, until cancelled."""
        while True:
            await asyncio.sleep(EXPIRE_EVERY)
            fallen = self._presence.expire(self._clock())
            await self._tell({change.organisation_id for change in fallen})

    # What connections say and ask.

    def alive(self, actor: AgentActor, connection: str, awake: bool, status: str) -> None:  # noqa: FBT001
        """A sign of life of a console."""
        self._changed(
            self._presence.seen(
                actor.organisation_id,
                AgentName(actor.agent_id, actor.name, actor.picture),
                connection,
                self._clock(),
                awake=awake,
                status="away" if status == "away" else "available",
            )
        )

    def left(self, _actor: AgentActor, connection: str) -> None:
        """A console is gone."""
        self._changed(self._presence.left(connection, self._clock()))

    async def colleagues(self, organisation_id: str) -> tuple[AgentState, ...]:
        """All agents of an organisation, and where they are."""
        actor = SystemActor(organisation_id=organisation_id)
        known = await self._store.read(lambda c: find_agents(c, actor), of=organisation_id)
        states = self._presence.states(organisation_id, self._clock())
        return tuple(
            AgentState(
                id=agent.id,
                name=agent.name,
                state=states.get(agent.id, "offline"),
                picture=agent.picture,
            )
            for agent in known
            if not agent.disabled
        )

    async def desk(self, organisation_id: str) -> Desk:
        """Whether somebody is there for visitors."""
        desk = self._presence.desk(organisation_id, self._clock())
        return Desk(desk.state, desk.agents)

    # What changes.

    def _changed(self, changes: list[Change]) -> None:
        if changes:
            self._elsewhere.presence_changed()
        self._tell_changes(changes)

    def _tell_changes(self, changes: list[Change]) -> None:
        self._tell_later({change.organisation_id for change in changes})

    def _agent_changed(self, agent: Agent) -> None:
        self._elsewhere.hurry()
        self._show(agent)

    def _agent_changed_elsewhere(self, organisation_id: str, agent_id: str) -> None:
        self._later(self._look_up(organisation_id, agent_id))

    async def _look_up(self, organisation_id: str, agent_id: str) -> None:
        actor = SystemActor(organisation_id=organisation_id)
        agent = await self._store.read(lambda c: find_agent(c, actor, agent_id), of=organisation_id)
        self._presence.renamed(AgentName(agent.id, agent.name, agent.picture))
        self._show(agent)

    def _show(self, agent: Agent) -> None:
        """His consoles speak under his new name from now on, and everybody sees it."""
        self._hub.rename_agent(
            agent.organisation_id, AgentName(agent.id, agent.name, agent.picture)
        )
        self._tell_later({agent.organisation_id})

    def _tell_later(self, organisation_ids: set[str]) -> None:
        if organisation_ids:
            self._later(self._tell(organisation_ids))

    async def _tell(self, organisation_ids: Iterable[str]) -> None:
        """Consoles learn who is there; panels learn whether anybody is."""
        for organisation_id in organisation_ids:
            self._hub.agents_changed(organisation_id, await self.colleagues(organisation_id))
            self._hub.desk_changed(organisation_id, await self.desk(organisation_id))

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, BalieError):
            log.error("telling who is there failed", error=repr(error))
