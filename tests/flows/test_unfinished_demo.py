"""A first start of the demo that was ended halfway: the next one goes on with what is there."""

import pytest
from tests.people import Agent, running_demo

from balie.app import founding
from balie.app.commands import with_house
from balie.app.data import prepare
from balie.app.settings import Settings

ORIGIN = "http://shop.localhost:8000"


class EndedError(Exception):
    """The process is gone."""


@pytest.fixture(params=["_hire", "_write_demo"])
def unfinished(request, tmp_path, monkeypatch):
    """A folder in which the demo was being made until this step."""
    folder = tmp_path / "demo"
    prepare(folder)

    def end(*_):
        raise EndedError

    with monkeypatch.context() as patch:
        patch.setattr(founding, request.param, end)
        with pytest.raises(EndedError):
            with_house(
                Settings(data_dir=folder),
                lambda house: founding.prepare_demo(house, "Tegenwind", ORIGIN),
                founding=True,
            )
    return folder


async def test_everybody_can_sign_in_after_all(unfinished):
    with running_demo(unfinished, {}) as demo:
        for login in demo.logins:
            agent = await Agent(demo, login).sign_in()
            await agent.leave()
