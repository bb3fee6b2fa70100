"""What events of changed entities say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from killreport.coordination.entity_events import publish_changed_entities, read_ids, write_ids
from tests.unit.coordination.told import Told

IDS = st.frozensets(st.integers(0, 2**63 - 1), min_size=1, max_size=600)


@given(IDS)
def test_a_payload_says_the_ids_or_any_and_fits_a_notification(ids: frozenset[int]) -> None:
    payload = write_ids(ids)
    assert len(payload.encode()) < 8_000
    assert read_ids(payload) in (ids, None)


def test_the_ids_of_a_batch_of_six_hundred_are_all_said_and_of_a_thousand_none() -> None:
    several = frozenset(range(2_112_000_001, 2_112_000_601))
    assert read_ids(write_ids(several)) == several
    assert write_ids(range(2_112_000_001, 2_112_001_001)) == ""


@pytest.mark.parametrize("payload", ["", ",", "1,", "one", '{"ids": [1]}'])
def test_what_cannot_be_read_means_any(payload: str) -> None:
    assert read_ids(payload) is None


async def test_of_no_change_nothing_is_told() -> None:
    events = Told()
    await publish_changed_entities(events, [])
    await publish_changed_entities(events, [3, 1, 2])
    assert events.told == [("entity", "1,2,3")]
