"""Ids sort by time, survive a clock set back, and are read strictly."""

import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from balie.kernel.ids import ENTROPY_BYTES, milliseconds_of, new_id, next_id, parse_id

LAST_MILLISECOND = (1 << 48) - 1

moments = st.integers(0, LAST_MILLISECOND)
entropies = st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES)
ids = st.builds(new_id, moments, entropies)

FULL = b"\xff" * ENTROPY_BYTES
EMPTY = b"\x00" * ENTROPY_BYTES


def test_the_example_of_the_rfc():
    # RFC 9562, appendix A.6: 2022-02-22 19:22:22 UTC, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F.
    tail = 0xCC3 << 62 | 0x18C4DC0C0C07398F
    entropy = tail.to_bytes(ENTROPY_BYTES)
    assert new_id(0x017F22E279B0, entropy) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(moments, entropies)
def test_an_id_is_a_version_7_uuid_in_canonical_form(milliseconds, entropy):
    identity = new_id(milliseconds, entropy)
    parsed = uuid.UUID(identity)
    assert str(parsed) == identity
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)


@given(moments, entropies)
def test_an_id_remembers_its_moment(milliseconds, entropy):
    assert milliseconds_of(new_id(milliseconds, entropy)) == milliseconds


@given(moments, moments, entropies, entropies)
def test_a_later_moment_sorts_later(one, other, entropy, other_entropy):
    earlier, later = sorted([(one, entropy), (other, other_entropy)], key=lambda pair: pair[0])
    if earlier[0] < later[0]:
        assert new_id(*earlier) < new_id(*later)


@given(moments, st.integers(0, (1 << 74) - 1), st.integers(0, (1 << 74) - 1))
def test_every_one_of_the_74_random_bits_counts(milliseconds, tail, other_tail):
    made = [new_id(milliseconds, bits.to_bytes(ENTROPY_BYTES)) for bits in (tail, other_tail)]
    assert (made[0] == made[1]) == (tail == other_tail)


@pytest.mark.parametrize("milliseconds", [-1, LAST_MILLISECOND + 1])
def test_a_moment_outside_48_bits_is_refused(milliseconds):
    with pytest.raises(ValueError, match="moments"):
        new_id(milliseconds, EMPTY)


@pytest.mark.parametrize("previous", [None, new_id(5, EMPTY)])
def test_too_little_entropy_is_refused(previous):
    with pytest.raises(ValueError, match="got 9"):
        next_id(previous, 5, EMPTY[1:])


@given(moments, entropies)
def test_the_first_id_of_a_row_is_a_new_id(milliseconds, entropy):
    assert next_id(None, milliseconds, entropy) == new_id(milliseconds, entropy)


@given(st.integers(0, LAST_MILLISECOND - 1), moments, entropies, entropies)
@example(1_000, 1_000, EMPTY, EMPTY)
@example(1_000, 1_000, FULL, FULL)
@example(1_000, 999, FULL, EMPTY)
def test_the_next_id_sorts_later_whatever_the_clock_does(made_at, milliseconds, entropy, fresh):
    previous = new_id(made_at, entropy)
    following = next_id(previous, milliseconds, fresh)
    assert following > previous
    assert parse_id(following) == following
    # A clock set back or standing still borrows at most one millisecond.
    assert milliseconds_of(following) <= max(milliseconds, made_at + 1)


def test_a_full_tail_borrows_the_next_millisecond():
    assert next_id(new_id(7, FULL), 7, EMPTY) == new_id(8, EMPTY)


def test_within_a_millisecond_the_tail_grows_by_a_random_step():
    one_step, other_step = EMPTY, b"\x00\x00\x00\x09" + bytes(6)
    first = new_id(7, EMPTY)
    assert next_id(first, 7, one_step) == new_id(7, (1).to_bytes(ENTROPY_BYTES))
    assert next_id(first, 7, other_step) == new_id(7, (10).to_bytes(ENTROPY_BYTES))


def test_after_the_very_last_id_there_is_none():
    with pytest.raises(ValueError, match="moments"):
        next_id(new_id(LAST_MILLISECOND, FULL), LAST_MILLISECOND, EMPTY)


@given(ids)
def test_an_id_is_read_in_either_case(identity):
    assert parse_id(identity) == parse_id(identity.upper()) == identity


@pytest.mark.parametrize(
    "text",
    [
        "",
        "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",  # version 4
        "017f22e2-79b0-7cc3-c8c4-dc0c0c07398f",  # another variant
        "017f22e279b07cc398c4dc0c0c07398f",  # no hyphens
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n",
        " 017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "٠17f22e2-79b0-7cc3-98c4-dc0c0c07398f",  # an Arabic-Indic nought
    ],
)
def test_what_is_no_id_is_refused(text):
    with pytest.raises(ValueError, match="UUID version 7"):
        parse_id(text)


@given(st.text(max_size=40) | st.from_regex(r"[0-9a-f-]{36}", fullmatch=True))
def test_any_other_text_is_refused_in_the_same_words(text):
    with pytest.raises(ValueError, match="not a UUID version 7"):
        parse_id(text)
