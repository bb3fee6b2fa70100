"""Items in one list, containers before what they held."""

from __future__ import annotations

import msgspec

from killreport.killmail.mail.items import FlatItem, flatten_items
from killreport.killmail.mail.model import Item
from tests.factories import AFTERBURNER, CARGO_CONTAINER, TRITANIUM, make_killmail


def test_contents_come_right_after_their_container_and_know_it() -> None:
    ore = Item(TRITANIUM, 0, quantity_dropped=5)
    inner = Item(CARGO_CONTAINER, 0, items=(ore, ore))
    outer = Item(CARGO_CONTAINER, 5, items=(inner, ore))
    module = Item(AFTERBURNER, 19, quantity_destroyed=1)
    assert flatten_items(make_killmail(items=(module, outer, module))) == [
        FlatItem(0, None, module),
        FlatItem(1, None, outer),
        FlatItem(2, 1, inner),
        FlatItem(3, 2, ore),
        FlatItem(4, 2, ore),
        FlatItem(5, 1, ore),
        FlatItem(6, None, module),
    ]


def test_a_victim_without_items_has_none() -> None:
    mail = make_killmail()
    absent = msgspec.structs.replace(mail, victim=msgspec.structs.replace(mail.victim, items=None))
    assert flatten_items(mail) == flatten_items(absent) == []
