"""Cursors of lists."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from killreport.api.cursor import decode_cursor, encode_cursor

TIMES = st.datetimes(datetime(2003, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is added


@given(TIMES, st.integers(0, 2**63 - 1))
def test_a_cursor_gives_back_time_and_id(time: datetime, killmail_id: int) -> None:
    assert decode_cursor(encode_cursor(time, killmail_id)) == (time, killmail_id)


@given(st.text(max_size=80))
def test_text_that_is_no_cursor_is_refused_and_never_an_error_of_ours(text: str) -> None:
    try:
        accepted = encode_cursor(*decode_cursor(text))
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
