"""What travels beside a body, and how foreign headers are read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands
from pamqp.header import ContentHeader

from killreport.queueing.broker import Priority
from killreport.queueing.rabbit_envelope import Envelope, read_envelope

INSTANT = datetime(2026, 11, 24, 1, 2, 3, 456_789, tzinfo=UTC)
INSTANTS = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(9000, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def over_the_wire(properties: commands.Basic.Properties) -> commands.Basic.Properties:
    """Return the properties as the other side reads them."""
    data = ContentHeader(body_size=1, properties=properties).marshal()
    read = ContentHeader()
    read.unmarshal(data)
    return read.properties


@given(
    st.builds(
        Envelope,
        priority=st.sampled_from(Priority),
        attempt=st.integers(1, 10_000),
        losses=st.integers(0, 10_000),
        published_at=st.none() | INSTANTS,
        due_at=st.none() | INSTANTS,
        letter_id=st.none() | st.text("0123456789abcdef", min_size=16, max_size=16),
        reason=st.none() | st.text(max_size=1000),
        died_at=st.none() | INSTANTS,
    )
)
def test_an_envelope_is_read_as_it_was_written(envelope: Envelope) -> None:
    assert read_envelope(over_the_wire(envelope.properties())) == envelope


def test_messages_are_persistent_and_say_in_milliseconds_when_they_go_on() -> None:
    properties = Envelope(published_at=INSTANT).properties(expires=timedelta(seconds=2.5))

    assert (properties.delivery_mode, properties.expiration) == (2, "2500")


def test_a_delay_that_is_over_goes_on_at_once() -> None:
    assert Envelope().properties(expires=timedelta(seconds=-1)).expiration == "0"


def test_what_others_publish_without_headers_has_the_time_stamp_of_the_protocol() -> None:
    found = read_envelope(over_the_wire(commands.Basic.Properties(timestamp=INSTANT)))

    assert found == Envelope(published_at=INSTANT.replace(microsecond=0))


@pytest.mark.parametrize(
    "headers",
    [
        {"attempt": 0},
        {"attempt": -3, "losses": -1},
        {"attempt": "7", "losses": [1]},
        {"attempt": True, "published_at": True},
        {"published_at": 2**62, "died_at": -1, "due_at": "now"},
        {"reason": 5},
    ],
)
def test_headers_that_make_no_sense_are_as_if_they_were_not_there(headers: dict[str, Any]) -> None:
    assert read_envelope(over_the_wire(commands.Basic.Properties(headers=headers))) == Envelope()


@pytest.mark.parametrize(("priority", "found"), [(0, Priority.BATCH), (2, Priority.PERSON), (255, Priority.PERSON)])
def test_a_priority_nobody_knows_is_the_highest(priority: int, found: Priority) -> None:
    assert read_envelope(commands.Basic.Properties(priority=priority)).priority == found


def test_a_dead_letter_has_an_id_of_its_message_however_often_it_dies() -> None:
    message = Envelope(attempt=3, published_at=INSTANT)
    first = message.letter(b"{}", "no", INSTANT)

    assert (first.attempt, first.reason, first.died_at) == (3, "no", INSTANT)
    assert replace(message, attempt=4, losses=1).letter(b"{}", "never", INSTANT).letter_id == first.letter_id
    others = (message.letter(b"{ }", "no", INSTANT), Envelope(attempt=3).letter(b"{}", "no", INSTANT))
    assert len({letter.letter_id for letter in (first, *others)}) == 3


def test_dead_letters_of_messages_without_an_instant_are_never_taken_for_one() -> None:
    first, second = (Envelope(attempt=3).letter(b"{}", "no", INSTANT) for _ in range(2))

    assert first.letter_id != second.letter_id
