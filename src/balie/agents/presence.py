"""Presence: who is there right now. Soft state in memory, pure: the moment is handed in.

An agent is `available` while any of his sessions is awake and available and was heard of within 45 seconds.
Nothing of this is stored, and no message waits for it.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from balie.kernel.events import AgentName
from balie.kernel.shapes import Desk

EXPIRY_MS = 45_000
DESK_FACES = 3

Status = Literal["available", "away"]
State = Literal["available", "away", "offline"]


class Sign(msgspec.Struct, frozen=True):
    """The last that was heard of one session."""

    organisation_id: str
    agent: AgentName
    awake: bool
    status: Status
    at: int

    @property
    def state(self) -> State:
        return "available" if self.awake and self.status == "available" else "away"


class Change(msgspec.Struct, frozen=True):
    """An agent whose state became another."""

    organisation_id: str
    agent: AgentName
    state: State


class Presence:
    """Every session's last sign, and what follows from it."""

    def __init__(self) -> None:
        self._signs: dict[str, Sign] = {}
        self._of_agent: dict[str, set[str]] = {}
        self._of_organisation: dict[str, set[str]] = {}

    def seen(
        self,
        organisation_id: str,
        agent: AgentName,
        session: str,
        now: int,
        *,
        awake: bool = True,
        status: Status = "available",
    ) -> list[Change]:
        """A sign of life of a session. Returns the agents whose state changed by it (none or one).

        `session` names a live connection: a socket's own id, so that two tabs count apart.
        """
        before = self._state_of(agent.id, now)
        known = self._signs.get(session)
        if known is not None and known.agent.id != agent.id:
            self._forget(session)
        self._signs[session] = Sign(organisation_id, agent, awake, status, now)
        self._of_agent.setdefault(agent.id, set()).add(session)
        self._of_organisation.setdefault(organisation_id, set()).add(agent.id)
        return self._changes(organisation_id, agent, before, now)

    def left(self, session: str, now: int) -> list[Change]:
        """A session that ended. Returns the agents whose state changed by it."""
        sign = self._signs.get(session)
        if sign is None:
            return []
        before = self._state_of(sign.agent.id, now)
        self._forget(session)
        return self._changes(sign.organisation_id, sign.agent, before, now)

    def expire(self, now: int) -> list[Change]:
        """Forget the sessions that were silent for too long. Call it every few seconds.

        Returns the agents whose state changed since they fell silent.
        """
        silent = [(key, sign) for key, sign in self._signs.items() if not _fresh(sign, now)]
        before = {sign.agent.id: self._last_state(sign.agent.id) for _, sign in silent}
        for session, _ in silent:
            self._forget(session)
        fallen = {sign.agent.id: sign for _, sign in silent}
        return [
            change
            for sign in fallen.values()
            for change in self._changes(
                sign.organisation_id, sign.agent, before[sign.agent.id], now
            )
        ]

    def held(self) -> list[tuple[str, Sign]]:
        """The sessions of this very process, and the last that was heard of each. Those of others have a
        colon in their names."""
        return [(key, sign) for key, sign in self._signs.items() if ":" not in key]

    def renamed(self, agent: AgentName) -> None:
        """Show another name or picture from now on."""
        for session in self._of_agent.get(agent.id, ()):
            self._signs[session] = msgspec.structs.replace(self._signs[session], agent=agent)

    def state(self, agent_id: str, now: int) -> State:
        """One agent's state."""
        return self._state_of(agent_id, now)

    def states(self, organisation_id: str, now: int) -> dict[str, State]:
        """The state of every agent of an organisation who is not offline, by id."""
        found = {
            agent_id: self._state_of(agent_id, now)
            for agent_id in self._of_organisation.get(organisation_id, ())
        }
        return {agent_id: state for agent_id, state in found.items() if state != "offline"}

    def desk(self, organisation_id: str, now: int) -> Desk:
        """Whether somebody is there for visitors. The faces keep their order from one call to the next."""
        here = sorted(
            agent_id
            for agent_id, state in self.states(organisation_id, now).items()
            if state == "available"
        )
        faces = tuple(self._name_of(agent_id) for agent_id in here[:DESK_FACES])
        return Desk("here" if here else "away", faces)

    def _state_of(self, agent_id: str, now: int) -> State:
        return _best(sign.state for sign in self._signs_of(agent_id) if _fresh(sign, now))

    def _last_state(self, agent_id: str) -> State:
        return _best(sign.state for sign in self._signs_of(agent_id))

    def _signs_of(self, agent_id: str) -> list[Sign]:
        return [self._signs[session] for session in self._of_agent.get(agent_id, ())]

    def _name_of(self, agent_id: str) -> AgentName:
        return max(self._signs_of(agent_id), key=lambda sign: sign.at).agent

    def _changes(
        self, organisation_id: str, agent: AgentName, before: State, now: int
    ) -> list[Change]:
        after = self._state_of(agent.id, now)
        return [Change(organisation_id, agent, after)] if after != before else []

    def _forget(self, session: str) -> None:
        sign = self._signs.pop(session)
        sessions = self._of_agent[sign.agent.id]
        sessions.discard(session)
        if not sessions:
            del self._of_agent[sign.agent.id]
            agents = self._of_organisation[sign.organisation_id]
            agents.discard(sign.agent.id)
            if not agents:
                del self._of_organisation[sign.organisation_id]


def _fresh(sign: Sign, now: int) -> bool:
    return now - sign.at < EXPIRY_MS


def _best(states: Iterable[State]) -> State:
    found = set(states)
    return "available" if "available" in found else "away" if "away" in found else "offline"
