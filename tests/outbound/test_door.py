"""The door to the outside: nobody is reached who should not be, and nobody who answers badly does harm."""

import asyncio
import ssl
import time
from ipaddress import ip_address, ip_network

import pytest
from tests.outbound.sinks import (
    Canary,
    Names,
    Sink,
    certificate,
    door_to,
    endless_head,
    hang,
    listening,
    pour,
    rubbish,
    say,
)

from balie.outbound import network
from balie.outbound.breaker import TRIES
from balie.outbound.door import BODY_LIMIT, Door, RefusedError, RestingError, UnreachableError

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
PUBLIC = "93.184.216.34"


async def send(door, url, **more):
    return await door.post(url, b"{}", {"X-A": "b"}, circuit="test", **more)


def lines(testdata, name):
    return (testdata / "badinput" / name).read_text().splitlines()


@pytest.fixture
async def canary():
    """Somebody who must not be reached."""
    async with listening(Canary()) as sink:
        yield sink


@pytest.fixture
async def receiver():
    """Somebody who may be."""
    async with listening(Sink()) as sink:
        yield sink


# Who is refused.


async def test_no_hostile_address_reaches_the_canary(testdata, canary):
    """Every connection that is allowed at all ends at the canary, whatever its address and port."""
    hosts = Names()

    async def resolve(host, port):
        if "." in host and "nip" not in host:
            return [PUBLIC, "127.0.0.1"]
        return ["127.0.0.1"]

    tried = 0
    for family in (resolve, network.resolve, hosts):
        door = door_to(canary, family)
        for url in lines(testdata, "ssrf_blocked.txt"):
            for typed in (url, url.replace("http:", "https:", 1)):
                with pytest.raises((RefusedError, UnreachableError)):
                    await send(door, typed)
                tried += 1
        assert door.made == []
    assert canary.connections == 0
    assert tried >= 200


async def test_the_addresses_that_are_good_are_reached(testdata, canary, tmp_path):
    """The same door, so that the test above cannot pass for want of a way."""

    async def resolve(_host, _port):
        return [PUBLIC]

    door = door_to(canary, resolve)
    for url in lines(testdata, "ssrf_allowed.txt"):
        with pytest.raises(UnreachableError, match=r"tls|broken|refused"):
            await send(door, url)
    assert canary.connections == len(lines(testdata, "ssrf_allowed.txt"))


@pytest.mark.parametrize("family", ["127.0.0.1", "::1"])
async def test_a_name_that_changes_its_mind_is_asked_once(family):
    """Rebinding: public when it is looked at, private when one connects."""
    async with listening(Sink(), family) as canary:
        names = Names(rebind_example=[[PUBLIC], [family]])
        reached = []

        async def connect(address, port):
            reached.append(str(address))
            return await network.connect(address, canary.port)

        door = Door(names, connect, timeout=0.5)
        with pytest.raises(UnreachableError):
            await send(door, "https://rebind.example/")
        assert (names.asked, reached) == (["rebind.example"], [PUBLIC])
        with pytest.raises(RefusedError):
            await send(door, "https://rebind.example/")
        assert reached == [PUBLIC]
        assert canary.connections == 0


@pytest.mark.parametrize(
    "answer",
    [
        [PUBLIC, "127.0.0.1"],
        ["127.0.0.1", PUBLIC],
        ["2606:2800:220:1::1", "::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["169.254.169.254"],
        ["fe80::1%eth0"],
        [],
    ],
)
async def test_one_private_address_spoils_them_all(canary, answer):
    door = door_to(canary, Names(many_example=[answer]))
    with pytest.raises((RefusedError, UnreachableError)):
        await send(door, "https://many.example/")
    assert door.made == []


async def test_plain_http_goes_only_where_the_operator_said(receiver):
    url = f"http://127.0.0.1:{receiver.port}/x"
    with pytest.raises(RefusedError, match="https"):
        await send(Door(network.resolve, network.connect), url)
    own = Door(network.resolve, network.connect, allowed=LOOPBACK)
    assert (await send(own, url)).status == 200
    public = door_to(receiver, Names(a_example=[[PUBLIC]]), allowed=LOOPBACK)
    with pytest.raises(RefusedError, match="https"):
        await send(public, "http://a.example/")
    assert public.made == []


async def test_proxies_of_the_environment_are_nothing_to_us(receiver, monkeypatch):
    async with listening(Sink()) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        door = Door(network.resolve, network.connect, allowed=LOOPBACK)
        assert (await send(door, f"http://127.0.0.1:{receiver.port}/x")).status == 200
        assert proxy.connections == 0


async def test_a_redirect_is_an_answer_like_another(canary):
    async with listening(Sink(say(302, f"Location: http://127.0.0.1:{canary.port}/"))) as sink:
        door = Door(network.resolve, network.connect, allowed=LOOPBACK)
        assert (await send(door, f"http://127.0.0.1:{sink.port}/")).status == 302
    assert canary.connections == 0


# Who it is.


async def test_certificate_and_host_are_the_names(tmp_path, monkeypatch):
    context, authority = certificate(tmp_path, "shop.example")
    asked = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    async with listening(Sink(), tls=context) as sink:
        door = door_to(sink, Names(shop_example=[[PUBLIC]]))
        assert (await send(door, "https://shop.example:8443/hook?a=b")).status == 200
    (request,) = sink.heard
    assert (request.path, request.body) == ("/hook?a=b", b"{}")
    assert request.headers["host"] == "shop.example:8443"
    assert asked == ["shop.example"]
    assert door.made == [(PUBLIC, 8443)]


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_certificate_of_another_or_of_nobody_is_refused(tmp_path, monkeypatch, trusted):
    context, authority = certificate(tmp_path, "other.example" if trusted else "shop.example")
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    async with listening(Sink(), tls=context) as sink:
        door = door_to(sink, Names(shop_example=[[PUBLIC]]))
        with pytest.raises(UnreachableError, match="tls"):
            await send(door, "https://shop.example/")
    assert sink.heard == []


async def test_old_protocols_are_refused():
    trust = Door(network.resolve, network.connect)._trusted()
    assert trust.minimum_version >= ssl.TLSVersion.TLSv1_2


# How he answers.


async def open_door(answer, **given):
    sink = Sink(answer)
    return listening(sink), Door(network.resolve, network.connect, allowed=LOOPBACK, **given)


async def test_of_a_gigabyte_little_is_read():
    listener, door = await open_door(pour)
    async with listener as sink:
        began = time.monotonic()
        assert (await send(door, f"http://127.0.0.1:{sink.port}/")).status == 200
        assert time.monotonic() - began < 2
        await asyncio.sleep(0.05)
        # What the kernel holds on its way is not read.
        assert sink.sent < BODY_LIMIT + 16 * 2**20


@pytest.mark.parametrize(
    "answer", [endless_head, rubbish, say("200", "Transfer-Encoding: rubbish")]
)
async def test_what_is_no_answer_is_none(answer):
    listener, door = await open_door(answer, timeout=5)
    async with listener as sink:
        with pytest.raises(UnreachableError, match="broken"):
            await send(door, f"http://127.0.0.1:{sink.port}/")
        assert sink.sent < 16 * 2**20


async def test_who_hangs_is_left_in_time():
    listener, door = await open_door(hang, timeout=0.3)
    async with listener as sink:
        began = time.monotonic()
        with pytest.raises(UnreachableError, match="timeout"):
            await send(door, f"http://127.0.0.1:{sink.port}/")
        assert 0.25 < time.monotonic() - began < 2


async def test_a_resolver_that_hangs_is_left_in_time():
    async def resolve(_host, _port):
        await asyncio.sleep(30)

    door = Door(resolve, network.connect, timeout=0.3)
    with pytest.raises(UnreachableError, match="timeout"):
        await send(door, "https://slow.example/")


async def test_the_next_address_is_tried_where_the_first_is_dead(canary):
    async def connect(address, port):
        where = ip_address("127.0.0.1")
        return await network.connect(where, 1 if str(address) == PUBLIC else canary.port)

    door = Door(Names(two_example=[[PUBLIC, "1.1.1.1"]]), connect)
    with pytest.raises(UnreachableError, match=r"tls|broken|refused"):
        await send(door, "https://two.example/")
    assert canary.connections == 1


async def test_after_failures_it_rests_and_one_answer_ends_that():
    door = Door(network.resolve, network.connect, allowed=LOOPBACK)
    async with listening(Sink()) as sink:
        url = f"http://127.0.0.1:{sink.port}/"
    for _ in range(TRIES):
        with pytest.raises(UnreachableError, match="refused"):
            await send(door, url)
    with pytest.raises(RestingError) as error:
        await send(door, url)
    assert 0 < error.value.rest <= 30_000
    async with listening(Sink(), port=sink.port):
        answer = await door.post(url, b"", {}, circuit="somebody else's")
        assert answer.status == 200, "who else goes there is not held up"


async def test_before_anything_is_said_one_may_think_again(receiver):
    class ThoughtError(Exception):
        pass

    def think():
        raise ThoughtError

    door = Door(network.resolve, network.connect, allowed=LOOPBACK)
    with pytest.raises(ThoughtError):
        await send(door, f"http://127.0.0.1:{receiver.port}/", before_sending=think)
    await asyncio.sleep(0.05)
    assert receiver.connections == 1
    assert receiver.heard == []
