"""What filters need to be answered in memory."""

from __future__ import annotations

import pytest

from killreport.killmail.filters.matching import needs_attackers, needs_items
from killreport.killmail.filters.table import FILTERS
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.filters.values import Count, Hours, Ids, Instant, Isk, Words, YesNo

VALUES = {
    Ids: [1], Words: ["pvp"], Count: 1, Isk: 1, YesNo: True, Instant: "2026-01-01T00:00:00Z",
    Hours: {"from": 1, "to": 2},
}  # fmt: skip
OF_ITEMS = {"item", "itemFitted", "itemDropped"}
BOTH_SIDES = {"character", "corporation", "alliance", "shipType", "shipGroup", "faction"}


@pytest.mark.parametrize("name", list(FILTERS))
def test_only_conditions_on_attackers_or_items_need_their_rows(name: str) -> None:
    value = ["highsec"] if name == "space" else VALUES[type(FILTERS[name].kind)]
    for plain in ({name: value}, {"not": {"or": [{name: value}, {"solo": False}]}}):
        wanted = KillmailFilter.read(plain)
        is_killers = name == "weapon" or name in BOTH_SIDES or (name.startswith("attacker") and "attackers" not in name)
        assert needs_attackers(wanted) is is_killers
        assert needs_items(wanted) is (name in OF_ITEMS)
