"""WebSocket frames, against what the library `websockets` makes of the same bytes."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode, apply_mask

from balie.realtime.protocol.frames import MAX_FRAME_BYTES
from balie.realtime.protocol.framing import (
    CLOSE,
    PING,
    TEXT,
    BrokenError,
    Framing,
    accept_handshake,
    closed_with,
    closing,
    framed,
    read_text,
    unmasked,
)


def masked(opcode, payload, *, fin=True):
    return Frame(opcode, payload, fin).serialize(mask=True)


texts = st.text(max_size=300).map(str.encode)
wide = st.sampled_from([125, 126, 127, 65_535, 65_536]).map(lambda size: b"a" * size)


@st.composite
def talks(draw):
    """Bytes of a well-behaved client, and the messages that are in them."""
    data, meant = b"", []
    for payload in draw(st.lists(texts | wide, max_size=5)):
        cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=3)))
        pieces = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
        for index, piece in enumerate(pieces):
            if draw(st.booleans()):
                data += masked(Opcode.PING, b"?")
                meant.append((PING, b"?"))
            opcode = Opcode.CONT if index else Opcode.TEXT
            data += masked(opcode, piece, fin=index == len(pieces) - 1)
        meant.append((TEXT, payload))
    return data, meant


@given(talks(), st.data())
def test_messages_are_read_however_the_bytes_arrive(talk, chance):
    data, meant = talk
    cuts = sorted(chance.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    framing, found = Framing(), []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        found += framing.feed(data[start:end])
    assert found == meant


@given(st.binary(max_size=400))
def test_a_mask_is_taken_off(payload):
    mask = os.urandom(4)
    assert unmasked(payload, mask) == apply_mask(payload, mask)
    assert unmasked(apply_mask(payload, mask), mask) == payload


@given(st.binary(max_size=400) | wide)
def test_what_the_server_writes_is_one_frame(payload):
    assert framed(TEXT, payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    assert outcome_of(data) in (None, 1002, 1003, 1009)


def outcome_of(data):
    try:
        Framing().feed(data)
    except BrokenError as error:
        return error.code
    return None


BROKEN = {
    "not masked": (Frame(Opcode.TEXT, b"{}").serialize(mask=False), 1002),
    "binary": (masked(Opcode.BINARY, bytes(range(256))), 1003),
    "reserved bit": (b"\xc1\x80\0\0\0\0", 1002),
    "reserved opcode": (b"\x83\x80\0\0\0\0", 1002),
    "reserved control opcode": (b"\x8b\x80\0\0\0\0", 1002),
    "control frame in pieces": (b"\x09\x80\0\0\0\0", 1002),
    "long control frame": (b"\x89\xfe\x00\x7e\0\0\0\0" + b"a" * 126, 1002),
    "continuation of nothing": (masked(Opcode.CONT, b"a"), 1002),
    "a second message inside the first": (
        masked(Opcode.TEXT, b"a", fin=False) + masked(Opcode.TEXT, b"b"),
        1002,
    ),
}


@pytest.mark.parametrize(("data", "code"), BROKEN.values(), ids=BROKEN)
def test_a_breach_has_its_code(data, code):
    with pytest.raises(BrokenError) as caught:
        Framing().feed(data)
    assert caught.value.code == code


def test_too_much_is_refused_by_its_header_alone():
    for size in (MAX_FRAME_BYTES + 1, 16 * 1024 * 1024, 2**62):
        with pytest.raises(BrokenError) as caught:
            Framing().feed(b"\x81\xff" + size.to_bytes(8) + b"\0\0\0\0")
        assert caught.value.code == 1009


def test_too_much_in_pieces_is_refused_when_the_limit_is_passed():
    framing = Framing()
    framing.feed(masked(Opcode.TEXT, b"a" * 40_000, fin=False))
    with pytest.raises(BrokenError) as caught:
        framing.feed(masked(Opcode.CONT, b"a" * 40_000)[:8])
    assert caught.value.code == 1009


def test_pieces_and_control_frames_are_counted():
    framing = Framing()
    framing.feed(masked(Opcode.PING, b"") * 3 + masked(Opcode.TEXT, b"a"))
    assert framing.extras == 3


def test_text_is_utf8():
    with pytest.raises(BrokenError) as caught:
        read_text(b"\xc0\xaf")
    assert caught.value.code == 1007


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000])
def test_a_close_code_that_nobody_may_send(code):
    with pytest.raises(BrokenError):
        closed_with(code.to_bytes(2))


def test_closing():
    assert closing(1012, "x" * 300)[:4] == bytes((0x88, 125)) + (1012).to_bytes(2)
    assert closed_with(b"") == 1000
    assert Framing().feed(masked(Opcode.CLOSE, b"\x03\xe8bye")) == [(CLOSE, b"\x03\xe8bye")]
    with pytest.raises(BrokenError):
        closed_with(b"\x03")


def test_the_handshake_of_the_rfc():
    headers = {"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13"}
    assert accept_handshake("GET", headers) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert accept_handshake("POST", headers) is None
    assert accept_handshake("GET", headers | {"sec-websocket-version": "8"}) is None
    assert accept_handshake("GET", headers | {"sec-websocket-key": "dGhl"}) is None
    assert accept_handshake("GET", headers | {"sec-websocket-key": "é!"}) is None
