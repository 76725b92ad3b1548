"""Webhooks from end to end: what is said in a conversation reaches a real receiver, whatever he is."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from tests.outbound.sinks import Sink, hang, listening, pour, rubbish, say
from tests.people import fresh_id
from tests.places import looking
from tests.town import HOOK, open_town

from balie.conversations.model import conversations
from balie.conversations.reactions import delete_conversations
from balie.integrations.model import QUEUE, About
from balie.integrations.queries import find_endpoint, lane_of
from balie.jobs import queue
from balie.jobs.model import NewJob, jobs
from balie.kernel.actor import SystemActor
from balie.kernel.events import encode
from balie.store.scope import EVERYWHERE

TYPES = ["conversation.started", "message.posted", "conversation.closed", "note.posted"]


class Office:
    """A town whose background works, and a receiver."""

    def __init__(self, town, sink) -> None:
        self.town, self.sink = town, sink
        self.noord, self.zuid = town.sides["noord"], town.sides["zuid"]
        self.owner = self.noord.browsers["owner"]

    async def listen(self, types=TYPES, side=None, port=None):
        owner = (side or self.noord).browsers["owner"]
        url = f"http://127.0.0.1:{port or self.sink.port}/hook"
        made = await owner.post("/api/v1/webhooks", json={"url": url, "types": list(types)})
        assert made.status_code == 201, made.text
        return made.json()["webhook"]["id"], made.json()["secret"]

    async def say(self, words, side=None, who="eva"):
        side = side or self.noord
        browser = self.town.browser(Authorization=f"Bearer {side.visitors[who]}")
        said = {"client_message_id": fresh_id(), "text": words, "conversation": side.conversation}
        answer = await browser.post("/api/v1/visitor/messages", json=said)
        assert answer.status_code == 200, answer.text

    async def deliveries(self, endpoint, **query):
        answer = await self.owner.get(f"/api/v1/webhooks/{endpoint}/deliveries", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def until(self, endpoint, condition):
        async with asyncio.timeout(15):
            while not condition(found := await self.deliveries(endpoint)):  # noqa: ASYNC110 - polled
                await asyncio.sleep(0.02)
        return found

    async def show(self, endpoint):
        return (await self.owner.get(f"/api/v1/webhooks/{endpoint}")).json()

    async def make_due(self):
        """As if all waits were over."""
        await self.town.house.store.write(
            lambda c: c.execute(jobs.update().where(jobs.c.state == "waiting").values(due_at=0)),
            of=EVERYWHERE,
        )
        self.town.house.background.runner.wake()


@asynccontextmanager
async def office(folder, answer=None):
    async with listening(Sink(answer)) as sink, open_town(folder) as town:
        await town.house.background.start()
        try:
            yield Office(town, sink)
        finally:
            await town.house.background.stop()


def verified(request, secret):
    """As a receiver would."""
    told = request.headers
    signed = f"{told['webhook-id']}.{told['webhook-timestamp']}.".encode() + request.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{wanted}" in told["webhook-signature"].split(" ")


async def test_what_is_said_is_told_signed_and_as_agents_see_it(tmp_path):
    async with office(tmp_path) as here:
        endpoint, secret = await here.listen()
        await here.say("waar is mijn fiets?")
        path = f"/api/v1/conversations/{here.noord.conversation}"
        await here.owner.post(
            f"{path}/notes", json={"client_message_id": fresh_id(), "text": "bel hem"}
        )
        await here.owner.put(f"{path}/tags/nieuw")
        heard = await here.sink.until(2)
        done = await here.until(endpoint, lambda all_: [d["state"] for d in all_] == ["done"] * 2)
        page = (await here.owner.get(f"{path}/events", params={"after": 0})).json()
        events = page["data"]
        by_seq = {event["seq"]: event for event in events}
        assert {request.headers["webhook-id"] for request in heard} == {d["id"] for d in done}
        for request in heard:
            assert verified(request, secret)
            told = json.loads(request.body)
            assert told["data"]["conversation"] == here.noord.conversation
            assert told["data"]["event"] == by_seq[told["data"]["event"]["seq"]]
            assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 60
        kinds = {json.loads(request.body)["type"] for request in heard}
        assert kinds == {"message.posted", "note.posted"}
        assert {(d["attempts"], d["result"]["status"]) for d in done} == {(1, 200)}
        with looking(here.town.house.store.driver) as connection:
            rows = str(connection.execute(text("SELECT * FROM jobs")).all())
        assert "fiets" not in rows, "a job names the event; it holds no word of it"


@pytest.mark.parametrize(
    ("answer", "code", "status"),
    [
        (say(500), "answered", 500),
        (say(302, "Location: http://169.254.169.254/"), "answered", 302),
        (say(404), "answered", 404),
        (rubbish, "broken", None),
    ],
)
async def test_who_answers_badly_is_asked_again(tmp_path, answer, code, status):
    async with office(tmp_path, answer) as here:
        endpoint, _ = await here.listen()
        await here.say("hallo")
        (told,) = await here.until(endpoint, lambda all_: all_ and "result" in all_[0])
        assert (told["state"], told["result"]["code"]) == ("waiting", code)
        assert told["result"].get("status") == status
        assert 4_000 < told["due_at"] - time.time() * 1_000 < 6_500
        assert (await here.show(endpoint))["failing_since"] > 0
        here.sink.answer = say(204)
        await here.make_due()
        (told,) = await here.until(endpoint, lambda all_: all_[0]["state"] == "done")
        assert told["attempts"] == 2
        assert len({request.headers["webhook-id"] for request in here.sink.heard}) == 1
        assert "failing_since" not in await here.show(endpoint)


async def test_a_gigabyte_for_an_answer_is_a_success_of_which_little_is_read(tmp_path):
    async with office(tmp_path, pour) as here:
        endpoint, _ = await here.listen()
        await here.say("hallo")
        (told,) = await here.until(endpoint, lambda all_: all_ and all_[0]["state"] == "done")
        assert told["result"]["milliseconds"] < 3_000
        assert here.sink.sent < 20 * 2**20


async def test_who_says_that_he_is_gone_is_switched_off_at_once(tmp_path):
    async with office(tmp_path, say(410)) as here:
        endpoint, _ = await here.listen()
        await here.say("een")
        await here.until(endpoint, lambda all_: all_ and all_[0]["state"] == "dead")
        shown = await here.show(endpoint)
        assert (shown["enabled"], shown["disabled_because"]) == (False, "gone")
        await here.say("twee")
        await asyncio.sleep(1.2)
        assert len(here.sink.heard) == 1
        here.sink.answer = say(200)
        again = await here.owner.patch(f"/api/v1/webhooks/{endpoint}", json={"enabled": True})
        assert again.json()["enabled"] is True
        (dead,) = await here.deliveries(endpoint, state="dead")
        assert await here.deliveries(endpoint, state="done") == []
        path = f"/api/v1/webhooks/{endpoint}/deliveries/{dead['id']}/replay"
        assert (await here.owner.post(path)).status_code == 200
        (told,) = await here.until(endpoint, lambda all_: all_[0]["state"] == "done")
        assert told["id"] == here.sink.heard[0].headers["webhook-id"] == dead["id"]
        assert (await here.owner.post(path)).status_code == 200
        await here.sink.until(3)


async def test_one_success_among_failures_ends_the_failing(tmp_path):
    """Also for who was read before the failure, and succeeds after it."""
    async with office(tmp_path) as here:
        endpoint, _ = await here.listen()
        webhooks = here.town.house.background.webhooks.commands
        system = SystemActor(organisation_id=here.noord.organisation_id)
        read = await here.town.house.store.read(
            lambda c: find_endpoint(c, system, endpoint), of=here.noord.organisation_id
        )
        assert await webhooks.failed(read, 500) == ""
        assert (await here.show(endpoint))["failing_since"] > 0
        await webhooks.succeeded(read)
        assert "failing_since" not in await here.show(endpoint)
        assert await webhooks.failed(read, None) == ""
        assert (await here.show(endpoint))["failing_since"] > 0


async def test_after_five_days_of_failing_it_is_switched_off(tmp_path):
    async with office(tmp_path, say(500)) as here:
        endpoint, _ = await here.listen()
        await here.say("een")
        await here.until(endpoint, lambda all_: all_ and "result" in all_[0])
        await here.town.house.store.write(
            lambda c: c.execute(
                text("UPDATE webhook_endpoints SET failing_since = failing_since - 432000000")
            ),
            of=EVERYWHERE,
        )
        await here.make_due()
        await here.until(endpoint, lambda all_: all_[0]["state"] == "dead")
        assert (await here.show(endpoint))["disabled_because"] == "failing"


async def test_who_asks_for_rest_gets_it(tmp_path):
    async with office(tmp_path, say(429, "Retry-After: 3600")) as here:
        endpoint, _ = await here.listen()
        await here.say("een")
        (told,) = await here.until(endpoint, lambda all_: all_ and "result" in all_[0])
        assert 3_590 < told["due_at"] / 1_000 - time.time() < 3_601


async def test_one_that_hangs_delays_nobody_else(tmp_path):
    async with office(tmp_path, hang) as here, listening(Sink()) as good:
        await here.listen()
        for number in range(30):
            await here.say(f"noord {number}")
        await here.sink.until(4)
        await here.listen(side=here.zuid, port=good.port)
        await asyncio.sleep(1.1)
        began = time.monotonic()
        await here.say("zuid", here.zuid)
        await good.until(1)
        assert time.monotonic() - began < 1
        assert here.sink.connections == 4


async def test_a_new_secret_and_the_former_one_sign_for_a_day(tmp_path):
    async with office(tmp_path) as here:
        endpoint, former = await here.listen()
        rotated = (await here.owner.post(f"/api/v1/webhooks/{endpoint}/secret")).json()
        assert rotated["secret"] != former
        assert rotated["webhook"]["former_until"] > time.time() * 1_000 + 86_000_000
        await here.say("hallo")
        (request,) = await here.sink.until(1)
        assert verified(request, former)
        assert verified(request, rotated["secret"])
        shown = json.dumps(
            [await here.show(endpoint), (await here.owner.get("/api/v1/webhooks")).json()]
        )
        assert "whsec_" not in shown


async def test_a_test_says_what_came_of_it(tmp_path):
    async with office(tmp_path, say(503)) as here:
        endpoint, secret = await here.listen()
        path = f"/api/v1/webhooks/{endpoint}/test"
        told = (await here.owner.post(path)).json()
        assert (told["code"], told["status"]) == ("answered", 503)
        (request,) = here.sink.heard
        assert verified(request, secret)
        assert json.loads(request.body)["type"] == "webhook.test"
        assert "well" not in json.dumps(told), "what it answered is nobody's to see"
        answers = [(await here.owner.post(path)).status_code for _ in range(12)]
        assert answers.count(429) >= 2
        assert await here.deliveries(endpoint) == []


async def test_what_goes_meanwhile_is_told_to_nobody(tmp_path):
    async with office(tmp_path, say(500)) as here:
        endpoint, _ = await here.listen()
        await here.say("vergeet mij")
        (told,) = await here.until(endpoint, lambda all_: all_ and "result" in all_[0])
        conversation, organisation = here.noord.conversation, here.noord.organisation_id

        def remove(connection):
            mine = conversations.c.id == conversation
            return [conversation], delete_conversations(connection, mine, [conversation])

        await here.town.house.store.rewrite(remove, of=organisation)
        assert await here.deliveries(endpoint) == [], "its jobs go with it"
        # One that was made while it went finds nothing to tell.
        late = NewJob(
            organisation_id=organisation,
            queue=QUEUE,
            key="late",
            lane=lane_of(organisation, endpoint),
            subject=conversation,
            payload=encode(About(endpoint, conversation, told["seq"], "message.posted")).decode(),
        )
        await here.town.house.store.write(lambda c: queue.add(c, [late], 0), of=organisation)
        here.town.house.background.runner.wake()
        await here.until(endpoint, lambda all_: [each["state"] for each in all_] == ["gone"])
        assert len(here.sink.heard) == 1


async def test_who_is_erased_takes_his_deliveries_with_him(tmp_path):
    async with office(tmp_path) as here:
        endpoint, _ = await here.listen()
        await here.say("vergeet mij")
        await here.until(endpoint, lambda all_: all_ and all_[0]["state"] == "done")
        erased = await here.owner.put(f"/api/v1/visitors/{here.noord.visitor_id}/erasure")
        assert erased.status_code == 200
        assert await here.deliveries(endpoint) == []
        system = SystemActor(organisation_id=here.zuid.organisation_id)
        lane = f"{here.zuid.organisation_id}/webhooks/{here.zuid.webhook}"
        kept = await here.town.house.store.read(
            lambda c: queue.find_lane(c, system, lane), of=here.zuid.organisation_id
        )
        assert len(kept) == 1


async def test_who_may_and_what_is_refused(tmp_path):
    async with open_town(tmp_path) as town:
        noord, zuid = town.sides["noord"], town.sides["zuid"]
        owner, path = noord.browsers["owner"], f"/api/v1/webhooks/{noord.webhook}"
        assert (await zuid.browsers["owner"].delete(path)).status_code == 404
        assert (await noord.browsers["agent"].delete(path)).status_code == 403
        for url in (
            "http://169.254.169.254/latest", "https://10.0.0.1/", "https://localhost:22/", "ftp://x.example",
            "https://a:b@x.example/", "http://example.com/#", "https://[::1]/", "x" * 3_000,
        ):  # fmt: skip
            refused = await owner.post("/api/v1/webhooks", json={"url": url, "types": TYPES})
            assert refused.status_code == 422, url
            assert (await owner.patch(path, json={"url": url})).status_code == 422
        for types in ([], ["page.viewed"]):
            refused = await owner.post("/api/v1/webhooks", json={"url": HOOK, "types": types})
            assert refused.status_code == 422
        for _ in range(19):
            made = await owner.post("/api/v1/webhooks", json={"url": HOOK, "types": TYPES})
            assert made.status_code == 201
        full = await owner.post("/api/v1/webhooks", json={"url": HOOK, "types": TYPES})
        assert full.status_code == 409
        foreign = f"/api/v1/webhooks/{noord.webhook}/deliveries/{zuid.delivery}/replay"
        assert (await owner.post(foreign)).status_code == 404
        other = made.json()["webhook"]["id"]
        crossed = f"/api/v1/webhooks/{other}/deliveries/{noord.delivery}/replay"
        assert (await owner.post(crossed)).status_code == 404
        assert (await owner.delete(path)).status_code == 204
        assert (await owner.get(path)).status_code == 404
        with looking(town.house.store.driver) as connection:
            left = connection.execute(jobs.select()).all()
        assert [row.organisation_id for row in left] == [zuid.organisation_id]
