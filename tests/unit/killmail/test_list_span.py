"""How much time a list may read that no index has in its order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from killreport.errors import Malformed
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.lists.page import Order
from killreport.killmail.lists.span import DEFAULT_SPAN, MAX_SPAN, with_span

NOW = datetime(2026, 11, 28, tzinfo=UTC)
BY_VALUE = Order.MOST_VALUABLE


def read(**plain: Any) -> KillmailFilter:
    return KillmailFilter.read(plain)


def test_the_newest_need_no_beginning() -> None:
    assert with_span(read(solo=True), Order.NEWEST, NOW) == read(solo=True)


@pytest.mark.parametrize("order", [Order.MOST_VALUABLE, Order.MOST_POINTS])
def test_without_a_beginning_a_list_begins_ninety_days_before_its_end(order: Order) -> None:
    end = NOW - timedelta(days=400)
    begin = {"from": NOW - DEFAULT_SPAN}
    assert with_span(read(solo=True), order, NOW) == read(solo=True, **begin)
    assert with_span(read(to=end), order, NOW) == read(to=end, **{"from": end - DEFAULT_SPAN})
    assert with_span(read(to=NOW + timedelta(days=9)), order, NOW) == read(to=NOW + timedelta(days=9), **begin)


def test_a_beginning_inside_a_negation_is_none() -> None:
    wanted = KillmailFilter.read({"not": {"from": NOW}})
    assert with_span(wanted, BY_VALUE, NOW) == KillmailFilter.read({"not": {"from": NOW}, "from": NOW - DEFAULT_SPAN})


def test_a_list_of_some_killmails_may_be_of_a_year_and_one_of_all_of_any_time() -> None:
    longest = {"from": NOW - MAX_SPAN}
    longer = {"from": NOW - MAX_SPAN - timedelta(seconds=1)}
    assert with_span(read(solo=True, **longest), BY_VALUE, NOW) == read(solo=True, **longest)
    assert with_span(read(**longer), BY_VALUE, NOW) == read(**longer)
    with pytest.raises(Malformed, match="at most 366 days may be asked for") as caught:
        with_span(read(solo=True, **longer), BY_VALUE, NOW)
    assert caught.value.path == "from"
