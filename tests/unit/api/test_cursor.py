"""Cursors of lists."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from killreport.api.paging.cursor import ORDINALS, decode_cursor, encode_cursor
from killreport.killmail.lists.page import Cursor, Order

TIMES = st.datetimes(datetime(2003, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is added


@given(TIMES, st.integers(0, 2**63 - 1))
def test_a_cursor_gives_back_time_and_id(time: datetime, killmail_id: int) -> None:
    assert decode_cursor(encode_cursor(Cursor(time, killmail_id))) == (time, killmail_id)


@given(st.text(max_size=80))
def test_text_that_is_no_cursor_is_refused_and_never_an_error_of_ours(text: str) -> None:
    try:
        accepted = encode_cursor(decode_cursor(text))
    except GraphQLError:
        accepted = None
    assert accepted in (None, text)


@pytest.mark.parametrize(
    "text",
    ["", "x", "MTYzODQ0NjQwMDAwMDAwMA", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkuMQ", "MS4tMQ", "A" * 1000, "MS4x=="],
)
def test_damaged_cursors_are_refused(text: str) -> None:
    with pytest.raises(GraphQLError, match="not a cursor of this list"):
        decode_cursor(text)


@given(st.sampled_from([Order.MOST_VALUABLE, Order.MOST_POINTS]), st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1))
def test_a_cursor_is_one_of_its_own_order_alone(order: Order, key: int, killmail_id: int) -> None:
    text = encode_cursor(Cursor(key, killmail_id), order)
    assert decode_cursor(text, order) == (key, killmail_id)
    for other in set(Order) - {order}:
        with pytest.raises(GraphQLError, match="`before` is not a cursor of this list: give"):
            decode_cursor(text, other, "before")


@pytest.mark.parametrize(("order", "key"), [(Order.MOST_VALUABLE, 2**63), (Order.MOST_POINTS, 2**31)])
def test_a_key_that_no_column_holds_is_refused(order: Order, key: int) -> None:
    with pytest.raises(GraphQLError, match="not a cursor of this list"):
        decode_cursor(encode_cursor(Cursor(key, 1), order), order)


@given(st.text(max_size=80))
def test_text_that_is_no_place_is_refused(text: str) -> None:
    try:
        accepted = ORDINALS.encode(ORDINALS.decode(text))
    except GraphQLError:
        accepted = None
    assert accepted in (None, text)


@given(st.integers(0, 2**15 - 1))
def test_a_place_is_given_back(ordinal: int) -> None:
    assert ORDINALS.decode(ORDINALS.encode(ordinal)) == ordinal
