"""What other processes must hear is written with what it tells of, or neither is."""

import msgspec
import pytest

from balie.agents.commands import AgentChange, AgentCommands
from balie.agents.sign_in import SignIn
from balie.kernel.actor import AgentActor
from balie.kernel.tidings import AgentChanged, SessionsEnded, SiteChanged
from balie.organisations.commands import OrganisationCommands, SiteChange


class Told(list):
    """Hears what is told, and may fail as a full disk would."""

    fails = False

    def __call__(self, _connection, organisation_id, tiding):
        if self.fails:
            raise RuntimeError("the disk is full")
        self.append((organisation_id, tiding))


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def ports(office, told):
    return msgspec.structs.replace(office.ports, tell=told)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_session_ends_together_with_its_tiding(office, ports, told, fails):
    begun = await office.begin()
    sign_in = SignIn(ports, office.room.passwords, office.settings)
    token, session = await sign_in.open_session(begun.owner, "198.51.100.7", "")
    actor = await sign_in.know(token)
    assert isinstance(actor, AgentActor)
    told.fails = fails
    if fails:
        with pytest.raises(RuntimeError):
            await sign_in.end_session(actor, session.id)
        assert await sign_in.know(token) is not None
    else:
        await sign_in.end_session(actor, session.id)
        assert told == [(begun.organisation.id, SessionsEnded([session.id]))]


async def test_who_is_disabled_is_told_with_his_sessions(office, ports, told):
    begun = await office.begin()
    tom = await office.hire(begun, "Tom")
    _, session = await office.room.sign_in.open_session(tom, "198.51.100.7", "")
    commands = AgentCommands(ports, office.room.passwords, office.origin)
    await commands.change_agent(office.system(begun), tom.id, AgentChange(disabled=True))
    changed = AgentChanged(begun.organisation.id, tom.id)
    assert [each for _, each in told] == [changed, SessionsEnded([session.id])]


async def test_a_site_changes_together_with_its_tiding(office, ports, told):
    begun = await office.begin()
    change = SiteChange(name="Nieuw")
    await OrganisationCommands(ports).change_site(office.system(begun), begun.site.id, change)
    assert told == [(begun.organisation.id, SiteChanged(begun.site.key))]
