"""What a page tells is made clean and bounded before anybody keeps it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from balie.conversations import rules, told
from balie.conversations.model import Conversation
from balie.kernel.actor import VisitorActor
from balie.kernel.errors import BalieError, EmptyError, MalformedError, TooLongError
from balie.kernel.events import VisitorDescribed

JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda inner: (
        some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


def nested(levels):
    return {"a": nested(levels - 1)} if levels else 1


def test_a_cart_is_kept_as_it_was_told():
    cart = {"currency": "EUR", "total": 9500, "items": [{"name": "Zadel", "quantity": 2}]}
    assert told.described({"cart": cart, "plan": None}).attributes == {"cart": cart, "plan": None}


@pytest.mark.parametrize(
    ("attributes", "error"),
    [
        ({"": 1}, EmptyError),
        ({"\u202e": 1}, EmptyError),
        ({"n" * 61: 1}, TooLongError),
        ({"text": "x" * 1_001}, TooLongError),
        ({str(n): n for n in range(51)}, TooLongError),
        ({"list": [0] * 101}, TooLongError),
        ({"number": 2**53}, MalformedError),
        (nested(6), MalformedError),
    ],
)
def test_what_is_too_much_is_refused_with_its_reason(attributes, error):
    with pytest.raises(error):
        told.described(attributes)


def test_text_that_rearranges_a_screen_does_not_come_through():
    said = told.described({"na\u202eam": "a\u202eb\0c\nd"}).attributes
    assert said == {"naam": "abc d"}


@given(some.dictionaries(some.text(max_size=8), JSON, max_size=4))
def test_whatever_is_said_is_refused_or_can_be_kept(attributes):
    try:
        said = told.described(attributes)
    except BalieError:
        return
    assert told.attributes_of(told.merged("", said.attributes)) == {
        name: value for name, value in said.attributes.items() if value is not None
    }


def test_what_is_said_later_replaces_by_name_and_null_takes_back():
    known = told.merged("", {"plan": "basis", "cart": 1})
    assert told.attributes_of(told.merged(known, {"cart": 2})) == {"plan": "basis", "cart": 2}
    assert told.merged(known, {"plan": None, "cart": None}) == ""


def test_all_that_was_said_together_is_bounded():
    ana = VisitorActor(organisation_id="o", site_id="s", visitor_id="v")
    full = told.merged("", {str(n): "x" * 1_000 for n in range(8)})
    state = Conversation(
        id="c",
        organisation_id="o",
        site_id="s",
        visitor_id="v",
        started_at=1,
        updated_at=1,
        attributes=full,
    )
    more = VisitorDescribed(attributes={"more": "x" * 200})
    with pytest.raises(TooLongError):
        rules.decide(state, rules.Describe(actor=ana, conversation_id="c", described=more))


def test_the_detail_of_an_event_is_bounded():
    with pytest.raises(TooLongError):
        told.tracked("gekocht", ["x" * 1_000] * 9)
    assert msgspec.json.encode(told.tracked(" gekocht ", None)) == (
        b'{"type":"event.tracked","name":"gekocht"}'
    )
