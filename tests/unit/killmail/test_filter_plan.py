"""What of a filter the postings tell alone, and what is left to ask of rows."""

from __future__ import annotations

import pytest

from killreport.killmail.filters.plan import plan_of
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.rules.labels import with_value

BILLION = 1_000_000_000


@pytest.mark.parametrize(
    ("least", "has_checks"), [(BILLION, False), (5 * BILLION, False), (BILLION + 1, True), (BILLION // 2, True)]
)
def test_a_worth_at_the_edge_of_a_label_needs_no_row(least: int, has_checks: bool) -> None:
    plan = plan_of(KillmailFilter.read({"region": [10000002], "valueMin": least}))
    assert bool(plan.checks) is has_checks


@pytest.mark.parametrize("isk", [1, 5, 10, 100, 1000])
def test_a_killmail_at_the_edge_has_the_label_that_begins_there(isk: int) -> None:
    cents = isk * BILLION * 100
    assert with_value((), cents) != with_value((), cents - 1)
    assert not plan_of(KillmailFilter.read({"valueMin": isk * BILLION})).checks
