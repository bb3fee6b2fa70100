"""Items as a tree."""

from __future__ import annotations

from collections.abc import Sequence

from killreport.api.views.sides import price_rule
from killreport.killmail.shown.fitting import Content, nest
from killreport.killmail.stored.queries import ItemRow
from killreport.market.price import PriceRule


def row(ordinal: int, parent: int | None) -> ItemRow:
    """Return an item whose type id is its ordinal."""
    return ItemRow(1, ordinal, parent, 5, 99, ordinal, 0, 0, 1, 1)


def shape(items: Sequence[Content]) -> list[object]:
    """Return type ids, nested."""
    return [[item.row.type_id, *shape(item.contents)] for item in items]


def test_contents_hang_below_their_containers_in_order() -> None:
    rows = [row(0, None), row(1, None), row(2, 1), row(3, 2), row(4, 2), row(5, 1), row(6, None)]
    assert shape(nest(rows)) == [[0], [1, [2, [3], [4]], [5]], [6]]


def test_no_items_are_an_empty_tree() -> None:
    assert nest([]) == []


def test_a_price_rule_of_a_newer_release_is_shown_as_unknown() -> None:
    assert price_rule(10) is PriceRule.MARKET_TRIMMED
    assert price_rule(12345) is PriceRule.UNKNOWN
