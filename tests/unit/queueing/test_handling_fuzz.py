"""Whatever comes in and whatever goes wrong: one outcome, in bounds, and no exception."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from killreport.errors import Transient
from killreport.fleet.table import QUEUES, ProcessRow
from killreport.queueing.broker import Delivery, Priority
from killreport.queueing.handling import (
    MAX_DELAY,
    MAX_LOSSES,
    MAX_RETRY_AFTER,
    Again,
    Dead,
    Done,
    decide,
    handle,
    retry_delay,
)
from killreport.queueing.messages import MESSAGE_OF, Message, decode, encode

rows = st.sampled_from(QUEUES)
attempts = st.integers(1, 40)
chances = st.floats(0, 1)


@given(row=rows, body=st.binary(max_size=60) | st.text(max_size=30).map(str.encode), losses=st.integers(0, 20))
def test_any_body_is_handed_out_decoded_or_dead_with_a_reason(row: ProcessRow, body: bytes, losses: int) -> None:
    handed_out: list[Message] = []

    async def note(message: Message, delivery: Delivery) -> None:
        handed_out.append(message)

    delivery = Delivery(str(row.queue), 1, Priority.BATCH, None, losses)
    outcome = asyncio.run(handle(row, body, delivery, note))

    if handed_out:
        assert outcome == Done()
        assert decode(str(row.queue), body) == handed_out[0]
        assert losses < MAX_LOSSES
    else:
        assert isinstance(outcome, Dead)
        assert outcome.reason.encode("utf-8")
        assert "\x00" not in outcome.reason


@given(row=rows, number=st.integers(1, 2**63 - 1))
def test_every_message_is_read_as_it_was_written(row: ProcessRow, number: int) -> None:
    kind = MESSAGE_OF[str(row.queue)]
    message = msgspec.convert({msgspec.structs.fields(kind)[0].name: number}, kind)

    assert decode(str(row.queue), encode(message)) == message


@given(row=rows, attempt=attempts, chance=chances, retry_after=st.none() | st.floats())
def test_a_pause_is_never_shorter_than_the_one_before_nor_longer_than_allowed(
    row: ProcessRow, attempt: int, chance: float, retry_after: float | None
) -> None:
    pause = retry_delay(row, attempt, retry_after, lambda: chance)

    assert pause >= retry_delay(row, max(1, attempt - 1), None, lambda: 0.0)
    assert timedelta(0) < pause <= max(MAX_DELAY, MAX_RETRY_AFTER) * 1.25


@given(row=rows, allowed=st.integers(1, 20), attempt=attempts, text=st.text(max_size=2000))
def test_attempts_end_exactly_where_the_row_says(row: ProcessRow, allowed: int, attempt: int, text: str) -> None:
    outcome = decide(Transient(text), replace(row, attempts=allowed), attempt)

    assert isinstance(outcome, Again if attempt < allowed else Dead)
