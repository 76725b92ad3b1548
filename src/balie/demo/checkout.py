"""The checkout of the demo shop: three forms after each other, carried along and never stored."""

import re
from collections.abc import Mapping

import msgspec

STEPS = ("details", "delivery", "payment")


class Field(msgspec.Struct, frozen=True):
    name: str
    autocomplete: str
    pattern: str
    longest: int = 80
    kind: str = "text"
    wide: bool = True


DETAILS = (
    Field("name", "name", r".*\S.*"),
    Field("email", "email", r"[^@\s]+@[^@\s]+\.[^@\s.]+", kind="email"),
    Field("street", "address-line1", r".*\S.*"),
    Field("postcode", "postal-code", r"[1-9]\d{3} ?[A-Za-z]{2}", longest=7, wide=False),
    Field("town", "address-level2", r".*\S.*", wide=False),
)
CHOICES = {"delivery": ("home", "shop"), "payment": ("bank", "card", "later")}


class Checkout(msgspec.Struct, frozen=True):
    """Where a customer is, what was typed so far, and which fields need another look."""

    step: str
    typed: dict[str, str]
    wrong: tuple[str, ...] = ()
    finished: bool = False

    @property
    def number(self) -> int:
        return STEPS.index(self.step) + 1


def advance(form: Mapping[str, str]) -> Checkout:
    """The next state of the checkout after `form` was sent from the step that it names."""
    typed = {field.name: form.get(field.name, "").strip()[: field.longest] for field in DETAILS}
    typed |= {
        name: form.get(name, "") for name, known in CHOICES.items() if form.get(name) in known
    }
    step = form.get("step", "")
    if step not in STEPS:
        return Checkout(step="details", typed=typed)
    if form.get("back"):
        return Checkout(step=STEPS[max(STEPS.index(step) - 1, 0)], typed=typed)
    for earlier in STEPS[: STEPS.index(step) + 1]:
        wrong = _wrong_fields(earlier, typed)
        if wrong:
            return Checkout(step=earlier, typed=typed, wrong=wrong)
    if step == STEPS[-1]:
        return Checkout(step=step, typed=typed, finished=True)
    return Checkout(step=STEPS[STEPS.index(step) + 1], typed=typed)


def _wrong_fields(step: str, typed: Mapping[str, str]) -> tuple[str, ...]:
    if step != "details":
        return () if typed.get(step) in CHOICES[step] else (step,)
    return tuple(
        field.name for field in DETAILS if not re.fullmatch(field.pattern, typed[field.name])
    )
