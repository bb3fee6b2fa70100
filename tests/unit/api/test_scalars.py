"""Scalars of the schema."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from graphql import BooleanValueNode, GraphQLError, GraphQLScalarType, IntValueNode, StringValueNode
from hypothesis import given
from hypothesis import strategies as st

from killreport.api.paging.scalars import id_value, instant_text, isk_text
from killreport.api.schema import unbound_schema


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "0.00"), (1, "0.01"), (123, "1.23"), (-5, "-0.05"), (-123, "-1.23"), (2**62, "46116860184273879.04")],
)
def test_isk_is_exact_with_two_places(cents: int, text: str) -> None:
    assert isk_text(cents) == text


def test_instants_are_utc_with_z() -> None:
    assert instant_text(datetime(2026, 11, 23, 20, 31, 5, tzinfo=UTC)) == "2026-11-23T20:31:05Z"
    other_zone = datetime(2026, 11, 23, 22, 31, 5, tzinfo=timezone(timedelta(hours=2)))
    assert instant_text(other_zone) == "2026-11-23T20:31:05Z"


@given(
    st.datetimes(
        min_value=datetime(2, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        max_value=datetime(9998, 1, 1),  # noqa: DTZ001
        timezones=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    )
)
def test_instants_are_written_as_python_writes_them(instant: datetime) -> None:
    assert instant_text(instant) == instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def test_id64_takes_whole_numbers_of_its_range_only() -> None:
    id64 = unbound_schema().type_map["ID64"]
    assert isinstance(id64, GraphQLScalarType)
    assert id64.coerce_input_literal is not None
    assert id64.coerce_input_value(2**63 - 1) == 2**63 - 1
    assert id64.coerce_input_value(str(2**63 - 1)) == 2**63 - 1
    for bad in (2**63, -1, 1.0, str(2**63), "-1", "1.0", "", "²", True, None):
        with pytest.raises(GraphQLError, match="ID64 must be a whole number"):
            id64.coerce_input_value(bad)
    assert id64.coerce_input_literal(IntValueNode(value="98000001")) == 98000001
    assert id64.coerce_input_literal(StringValueNode(value="98000001")) == 98000001
    with pytest.raises(GraphQLError, match="ID64 must be written as a whole number"):
        id64.coerce_input_literal(BooleanValueNode(value=True))


def test_id64_is_a_number_while_everybody_reads_it_exactly_and_then_its_digits() -> None:
    assert [id_value(number) for number in (0, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**53) - 1)] == [
        *(0, 2**31, 2**53, str(2**53 + 1), str(2**63 - 1), str(-(2**53) - 1))
    ]
    for bad in (2**63, True, "1", 1.0, None):
        with pytest.raises(ValueError, match="ID64 cannot be"):
            id_value(bad)  # type: ignore[arg-type]
