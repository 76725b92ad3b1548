"""Signing in and out: the writer of sessions, and the one who knows agents by their cookie."""

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection, delete, insert, update

from balie.agents import queries, rules
from balie.agents.commands import end_sessions
from balie.agents.model import (
    SESSION_ABSOLUTE_MS,
    SESSION_IDLE_MS,
    Agent,
    Session,
    agents,
    sessions,
)
from balie.agents.passwords import Passwords
from balie.agents.tries import Tries, Wish
from balie.edge.auth import Connection as HttpConnection
from balie.edge.auth import session_token
from balie.edge.limits import Rate, limit_key, shortened
from balie.edge.ports import Ports
from balie.edge.settings import EdgeSettings
from balie.edge.text import clean_email
from balie.kernel.actor import AgentActor
from balie.kernel.errors import MalformedError, NotFoundError, UnauthorisedError
from balie.kernel.tidings import SessionsEnded
from balie.store.scope import EVERYWHERE

SEEN_EVERY_MS = 60_000
COOKIE_SECONDS = SESSION_ABSOLUTE_MS // 1_000

# One who types from one place, one account from everywhere, one place for all accounts.
PERSON = Rate(burst=5, refill_ms=60_000)
ACCOUNT = Rate(burst=30, refill_ms=120_000)
PLACE = Rate(burst=50, refill_ms=30_000)


class WrongPasswordError(UnauthorisedError):
    """Address and password do not go together; which of the two is wrong is not told."""

    code = "wrong_password"

    def __init__(self, attempts_left: int) -> None:
        super().__init__("e-mail address and password do not go together")
        self.members = {"attempts_left": attempts_left}


class SignIn:
    """Opens, knows, lists and ends sessions. `on_sessions_ended` is told ids after each commit."""

    def __init__(self, ports: Ports, passwords: Passwords, settings: EdgeSettings) -> None:
        self._ports = ports
        self._passwords = passwords
        self._settings = settings
        self._tries = Tries(ports)
        self.on_sessions_ended: list[Callable[[list[str]], None]] = []

    async def sign_in(
        self, email: str, password: str, address: str, user_agent: str
    ) -> tuple[str, Agent, Session]:
        """A new session: its token, whose it is, and what is stored of it.

        An unknown address takes the same time, the same tries and the same answer as a wrong password.
        Raises WrongPasswordError, RateLimitedError, BusyError.
        """
        name = _email_or_nobody(email)
        left = await self._tries.take(_wishes(name, address))
        found = await self._ports.store.read(
            lambda c: queries.find_by_email(c, name), of=EVERYWHERE
        )
        agent, stored = found if found is not None else (None, None)
        fits = await self._passwords.verify(stored, password)
        if agent is None or agent.disabled or not fits:
            raise WrongPasswordError(left)
        await self._give_try_back(name, address)
        await self._renew_hash(agent, str(stored), password)
        token, session = await self.open_session(agent, address, user_agent)
        return token, agent, session

    async def open_session(
        self, agent: Agent, address: str, user_agent: str
    ) -> tuple[str, Session]:
        """A session for somebody who has just proved who he is."""
        now = self._ports.clock()
        token = rules.token_of(self._ports.entropy(rules.TOKEN_BYTES))
        session = Session(
            id=self._ports.new_id(),
            organisation_id=agent.organisation_id,
            agent_id=agent.id,
            created_at=now,
            last_seen_at=now,
            user_agent=rules.plain_user_agent(user_agent),
            address=shortened(address),
        )
        row = msgspec.structs.asdict(session) | {"token_hash": rules.token_hash(token)}

        def write(connection: Connection) -> None:
            connection.execute(
                delete(sessions).where(sessions.c.last_seen_at < now - SESSION_IDLE_MS)
            )
            connection.execute(insert(sessions), row)

        await self._ports.store.write(write, of=agent.organisation_id)
        return token, session

    async def __call__(self, connection: HttpConnection) -> AgentActor | None:
        """The Authenticator of agents: whose session cookie this is."""
        token = session_token(connection, self._settings)
        return None if token is None else await self.know(token)

    async def know(self, token: str) -> AgentActor | None:
        """Whose session a token is, if it still counts."""
        now = self._ports.clock()
        found = await self._ports.store.read(
            lambda c: queries.find_by_token(c, token, now), of=EVERYWHERE
        )
        if found is None:
            return None
        session, agent = found
        if now - session.last_seen_at >= SEEN_EVERY_MS:
            await self._note_seen(session, now)
        return queries.actor_of(agent, session.id)

    async def end_session(self, actor: AgentActor, session_id: str) -> None:
        """End one of one's own sessions. Raises NotFoundError, also for somebody else's."""
        wanted = (sessions.c.id == session_id) & (sessions.c.agent_id == actor.agent_id)

        def write(connection: Connection) -> None:
            if connection.execute(delete(sessions).where(wanted)).rowcount == 0:
                raise NotFoundError("no such session")
            self._tell_others(connection, actor, [session_id])

        await self._ports.store.write(write, of=actor.organisation_id)
        self._tell([session_id])

    async def change_password(
        self, actor: AgentActor, current: str, wanted: str, address: str
    ) -> str:
        """Another password. Every other session ends; this one goes on under a new token, returned.

        Raises WrongPasswordError, RateLimitedError, MalformedError, BusyError.
        """
        agent = await self._ports.store.read(
            lambda c: queries.find_agent(c, actor, actor.agent_id), of=actor.organisation_id
        )
        checked = rules.checked_password(wanted, agent.email, agent.name)
        left = await self._tries.take(_wishes(agent.email, address))
        stored = await self._ports.store.read(
            lambda c: queries.find_password_hash(c, actor), of=actor.organisation_id
        )
        if not await self._passwords.verify(stored, current):
            raise WrongPasswordError(left)
        await self._give_try_back(agent.email, address)
        hashed = await self._passwords.hash(checked)
        token = rules.token_of(self._ports.entropy(rules.TOKEN_BYTES))

        def write(connection: Connection) -> list[str]:
            mine = sessions.c.id == actor.session_id
            connection.execute(
                update(sessions).where(mine).values(token_hash=rules.token_hash(token))
            )
            connection.execute(
                update(agents).where(agents.c.id == agent.id).values(password_hash=hashed)
            )
            ended = end_sessions(connection, agent.id, but=actor.session_id)
            self._tell_others(connection, actor, ended)
            return ended

        self._tell(await self._ports.store.write(write, of=actor.organisation_id))
        return token

    async def _give_try_back(self, email: str, address: str) -> None:
        person, *others = _wishes(email, address)
        await self._tries.give_back(person[1], others)

    async def _renew_hash(self, agent: Agent, stored: str, password: str) -> None:
        """A hash made with older parameters is made anew while the password is at hand."""
        if not self._passwords.is_outdated(stored):
            return
        hashed = await self._passwords.hash(password)
        mine = agents.c.id == agent.id
        await self._ports.store.write(
            lambda c: c.execute(update(agents).where(mine).values(password_hash=hashed)).rowcount,
            of=agent.organisation_id,
        )

    async def _note_seen(self, session: Session, now: int) -> None:
        seen = update(sessions).where(sessions.c.id == session.id).values(last_seen_at=now)
        await self._ports.store.write(
            lambda c: c.execute(seen).rowcount, of=session.organisation_id
        )

    def _tell_others(self, connection: Connection, actor: AgentActor, ended: list[str]) -> None:
        if ended:
            self._ports.tell(connection, actor.organisation_id, SessionsEnded(ended))

    def _tell(self, ended: list[str]) -> None:
        if ended:
            for hears in self.on_sessions_ended:
                hears(ended)


def _wishes(email: str, address: str) -> list[Wish]:
    """What a try is counted by; the first is who tries, from where he does."""
    account, place = rules.token_hash(email), limit_key(address)
    return [(PERSON, f"{account}@{place}"), (ACCOUNT, account), (PLACE, place)]


def _email_or_nobody(text: str) -> str:
    """What is no address belongs to nobody, and is treated like an unknown one."""
    try:
        return clean_email(text)
    except MalformedError:
        return "nobody"
