"""Messages in pieces, and goodbyes between them, on the socket that ships."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.autobahn.echo import serve
from websockets.frames import Frame, Opcode

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def heard_after(*frames):
    """All that the server says to these frames, until it closes."""
    server = await serve()
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(HANDSHAKE)
    await reader.readuntil(b"\r\n\r\n")
    for frame in frames:
        writer.write(frame.serialize(mask=True))
    heard = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    server.close()
    return heard


def text(data, *, fin=True):
    return Frame(Opcode.TEXT, data, fin)


def more(data, *, fin=True):
    return Frame(Opcode.CONT, data, fin)


GOODBYE = Frame(Opcode.CLOSE, (1000).to_bytes(2) + b"bye")
ECHOED = b"\x88\x05\x03\xe8bye"


async def test_who_leaves_between_two_fragments_is_answered_in_kind():
    assert await heard_after(text(b"half", fin=False), GOODBYE, more(b"the rest")) == ECHOED


async def test_pieces_may_cut_a_character():
    euro = "€".encode()
    heard = await heard_after(text(euro[:1], fin=False), more(euro[1:]), GOODBYE)
    assert heard == b"\x81\x03" + euro + ECHOED


@pytest.mark.parametrize("bad", [b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5", b"a\xffb"])
async def test_what_is_no_text_ends_it_before_the_message_is_whole(bad):
    heard = await heard_after(text(b"good", fin=False), more(bad, fin=False))
    assert heard[2:4] == (1007).to_bytes(2)


async def test_a_character_that_never_ends_is_no_text():
    heard = await heard_after(text(b"\xe2\x82", fin=False), more(b""))
    assert heard[2:4] == (1007).to_bytes(2)


@given(said=st.text(min_size=1, max_size=40), data=st.data())
def test_however_it_is_cut_it_arrives_whole(said, data):
    whole = said.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    frames = [
        Frame(Opcode.CONT if place else Opcode.TEXT, piece, place == len(pieces) - 1)
        for place, piece in enumerate(pieces)
    ]
    heard = asyncio.run(heard_after(*frames, GOODBYE))
    assert heard == Frame(Opcode.TEXT, whole).serialize(mask=False) + ECHOED
