"""Labels as the bits of a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from killreport.errors import Malformed
from killreport.killmail.mail.label_numbers import NUMBERS, label_number, pack_labels, unpack_labels
from killreport.killmail.mail.zkb import SOURCE_LABELS

SHOWN = [
    "tz:eu", "cat:6", "#:2+", "pvp", "awox", "loc:lowsec", "isk:10b+", "capital", "fw:minmatar", "fw:amamin", "atShip",
]  # fmt: skip


def test_labels_come_out_in_the_order_in_which_the_rules_give_them() -> None:
    assert unpack_labels(*pack_labels(SHOWN)) == SHOWN
    assert unpack_labels(*pack_labels(reversed([*SHOWN, "ganked", "padding"]))) == [*SHOWN, "ganked", "padding"]
    assert unpack_labels(*pack_labels(["cat:350001", "solo"])) == ["cat:350001", "solo"]
    assert unpack_labels(0, None) == []


@given(st.sets(st.sampled_from(list(NUMBERS))), st.none() | st.integers(0, 2**63 - 1))
def test_no_label_is_lost(labels: set[str], category_id: int | None) -> None:
    given_ = labels if category_id is None else labels | {f"cat:{category_id}"}
    bits, found = pack_labels(given_)
    assert (0 <= bits < 2**63, found) == (True, category_id)
    assert set(unpack_labels(bits, category_id)) == given_


def test_a_number_that_is_stored_never_changes() -> None:
    assert [label_number(label) for label in ("tz:use", "solo", "loc:abyssal", "isk:1b+", "atShip", "padding")] == [
        0, 13, 22, 23, 35, 37,
    ]  # fmt: skip
    assert NUMBERS.keys() >= SOURCE_LABELS


def test_a_label_that_is_in_no_table_is_refused() -> None:
    with pytest.raises(Malformed, match="`made-up` is no label that killmails have"):
        pack_labels(["pvp", "made-up"])
