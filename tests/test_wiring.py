"""No room forgets to say what it keeps of persons."""

import importlib
import pkgutil
from collections import Counter

import balie
from balie import wiring
from balie.kernel.erasure import PersonErased
from balie.store.schema import metadata


def all_tables():
    for module in pkgutil.walk_packages(balie.__path__, "balie."):
        if module.name.endswith(".model"):
            importlib.import_module(module.name)
    return set(metadata.tables)


def claims():
    return Counter(
        name
        for keeper in wiring.KEEPERS
        for name in (*(table.name for table in keeper.tables), *keeper.others)
    )


def test_every_table_is_claimed_by_one_room():
    assert claims() == Counter(all_tables())


def test_every_table_without_persons_says_why():
    assert all(len(why) > 20 for keeper in wiring.KEEPERS for why in keeper.others.values())


def test_every_room_with_persons_hands_over_and_erases():
    reactions = {reaction.__module__ for reaction in wiring.REACTIONS[PersonErased]}
    rooms = {keeper.room for keeper in wiring.KEEPERS if keeper.tables}
    assert {module.split(".")[1] for module in reactions} == rooms
    assert all(keeper.trace and keeper.export for keeper in wiring.KEEPERS if keeper.tables)


def test_every_table_carries_its_organisation():
    assert [
        name for name in all_tables() if "organisation_id" not in metadata.tables[name].columns
    ] == []
