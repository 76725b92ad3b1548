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


async def answer_to(*frames):
    """The first frame that the server says to these."""
    server = await serve()
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(HANDSHAKE)
    await reader.readuntil(b"\r\n\r\n")
    for frame in frames:
        writer.write(frame.serialize(mask=True))
    async with asyncio.timeout(5):
        head = await reader.readexactly(2)
        size = head[1] if head[1] < 126 else int.from_bytes(await reader.readexactly(2))
        body = await reader.readexactly(size)
    writer.transport.abort()
    server.close()
    return head[0] & 0x0F, body


def text(data, *, fin=True):
    return Frame(Opcode.TEXT, data, fin)


def more(data, *, fin=True):
    return Frame(Opcode.CONT, data, fin)


BYE = (1000).to_bytes(2) + b"bye"
NO_TEXT = (1007).to_bytes(2)


async def test_who_leaves_between_two_fragments_is_answered_in_kind():
    leaves = (text(b"half", fin=False), Frame(Opcode.CLOSE, BYE), more(b"the rest"))
    assert await answer_to(*leaves) == (Opcode.CLOSE, BYE)


@pytest.mark.parametrize("bad", [b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5", b"a\xffb"])
async def test_what_is_no_text_ends_it_before_the_message_is_whole(bad):
    code, said = await answer_to(text(b"good", fin=False), more(bad, fin=False))
    assert (code, said[:2]) == (Opcode.CLOSE, NO_TEXT)


async def test_a_character_that_never_ends_is_no_text():
    code, said = await answer_to(text(b"\xe2\x82", fin=False), more(b""))
    assert (code, said[:2]) == (Opcode.CLOSE, NO_TEXT)


@given(said=st.text(min_size=1, max_size=40), data=st.data())
def test_however_it_is_cut_it_arrives_whole(said, data):
    """Between the bytes of one character, too."""
    whole = said.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    frames = [
        Frame(Opcode.CONT if place else Opcode.TEXT, piece, place == len(pieces) - 1)
        for place, piece in enumerate(pieces)
    ]
    assert asyncio.run(answer_to(*frames)) == (Opcode.TEXT, whole)
