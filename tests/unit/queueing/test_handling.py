"""What becomes of a message, for every way its handler can end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from killreport.errors import Conflict, Malformed, NotFound, Permanent, Refused, Transient, Unavailable
from killreport.fleet.table import find_queue
from killreport.queueing.broker import Delivery, Handler, Priority
from killreport.queueing.handling import (
    BACK_DELAY,
    MAX_DELAY,
    MAX_LOSSES,
    MAX_RETRY_AFTER,
    Absence,
    Again,
    Back,
    Dead,
    Done,
    Outcome,
    decide,
    handle,
    retry_delay,
)
from killreport.queueing.messages import CharacterMessage, Message

QUEUE = "esi_character_info_queue"
ROW = find_queue(QUEUE)
BODY = b'{"character_id": 90000001}'


# SQLSTATE of what says nothing about the message.
AWAY_CODES = (
    *("08000", "08003", "08006", "08P01", "25006", "25P03", "25P04", "28000", "28P01", "3D000", "40001", "40P01"),
    *("53000", "53100", "53200", "53300", "53400", "55000", "55006", "55P03", "57000", "57014"),
    *("57P01", "57P02", "57P03", "57P04", "57P05", "58000", "58030"),
)
COUNTED_CODES = ("22003", "22P02", "23505", "42P01", "42601", "54000", "P0001", "XX001")


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def delivery(attempt: int = 1, losses: int = 0) -> Delivery:
    return Delivery(QUEUE, attempt, Priority.SEEN, None, losses)


def failing(error: BaseException) -> Handler:
    async def fail(message: Message, delivery: Delivery) -> None:
        raise error

    return fail


async def outcome_of(handler: Handler, body: bytes = BODY, attempt: int = 1, losses: int = 0) -> Outcome:
    return await handle(ROW, body, delivery(attempt, losses), handler, chance=lambda: 0.0)


async def test_a_handled_message_is_done_and_its_handler_saw_all_of_it() -> None:
    seen: list[tuple[Message, Delivery]] = []

    async def note(message: Message, delivery: Delivery) -> None:
        seen.append((message, delivery))

    assert await outcome_of(note, attempt=3) == Done()
    assert seen == [(CharacterMessage(90000001), delivery(3))]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            b"garbage",
            "Malformed: it is not JSON that can be read (JSON is malformed: invalid character (byte 0)) at $"
            " (not handed out)",
        ),
        (b"", "Malformed: it is not JSON that can be read (it is empty) at $ (not handed out)"),
        (b'{"character_id": "x"}', "Malformed: Expected `int`, got `str` at $.character_id (not handed out)"),
        (b"{}", "Malformed: Object missing required field `character_id` at $ (not handed out)"),
    ],
)
async def test_a_body_that_does_not_fit_is_dead_with_the_path_and_no_handler_sees_it(body: bytes, reason: str) -> None:
    assert await outcome_of(failing(AssertionError("handed out")), body) == Dead(reason)


async def test_a_body_that_nests_deeper_than_the_decoder_goes_is_dead() -> None:
    body = b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    found = await outcome_of(failing(AssertionError("handed out")), body)

    assert isinstance(found, Dead)
    assert found.reason.startswith("Malformed: it is nested too deeply")


@pytest.mark.parametrize("kind", [NotFound, Permanent, Refused, Conflict])
async def test_what_no_further_try_can_change_is_dead_at_once(kind: Callable[[str], Exception]) -> None:
    found = await outcome_of(failing(kind("no")), attempt=2)

    assert found == Dead(f"{kind('no').__class__.__name__}: no (attempt 2 of 12)")


async def test_a_malformed_answer_is_dead_with_its_path() -> None:
    found = await outcome_of(failing(Malformed("Expected `int`", "$.ceo_id")))

    assert found == Dead("Malformed: Expected `int` at $.ceo_id (attempt 1 of 12)")


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("ESI is down"),
        ConnectionRefusedError("no server"),
        asyncpg.ConnectionDoesNotExistError("gone"),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.InterfaceError("connection is closed"),
        TimeoutError(),
        asyncpg.IdleSessionTimeoutError("terminating connection due to idle-session timeout"),
        *(asyncpg.PostgresError.new({"C": code, "M": "not now"}) for code in AWAY_CODES),
        ExceptionGroup("unhandled errors in a TaskGroup", [Unavailable("ESI is down")]),
        ExceptionGroup("two", [Unavailable("ESI is down"), asyncpg.DiskFullError("no space left")]),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("attempt", [1, 12, 99])
async def test_who_is_away_costs_no_attempt(error: Exception, attempt: int) -> None:
    found = await outcome_of(failing(error), attempt=attempt)

    assert isinstance(found, Back)
    assert found.delay == BACK_DELAY


@pytest.mark.parametrize("code", COUNTED_CODES)
async def test_what_the_database_says_of_the_message_itself_is_counted(code: str) -> None:
    error = asyncpg.PostgresError.new({"C": code, "M": "no"})

    assert isinstance(await outcome_of(failing(error)), Again)


async def test_somebody_away_for_long_is_tried_ever_more_rarely_until_he_answers() -> None:
    now = 0.0
    absence = Absence(clock=lambda: now)

    async def pause(error: Exception) -> float:
        found = await handle(ROW, BODY, delivery(), failing(error), absence=absence, chance=lambda: 0.0)
        return found.delay.total_seconds() if isinstance(found, Back) else 0.0

    pauses = []
    for _ in range(8):
        pauses.append(await pause(Unavailable("away")))
        now += pauses[-1]
    assert pauses == [5, 5, 10, 20, 40, 60, 60, 60]
    assert await pause(NotFound("he answers")) == 0.0
    assert await pause(Unavailable("away again")) == 5


async def test_an_argument_that_does_not_fit_its_column_is_not_a_database_that_is_away() -> None:
    error = asyncpg.exceptions._base.DataError("invalid input for query argument $1: value out of int32 range")

    assert isinstance(await outcome_of(failing(error)), Again)


@pytest.mark.parametrize(
    "error",
    [Transient("502"), ZeroDivisionError("division by zero"), ExceptionGroup("two", [Transient("a"), KeyError("b")])],
    ids=lambda error: type(error).__name__,
)
async def test_a_failure_that_may_pass_is_counted_and_the_last_attempt_is_final(error: Exception) -> None:
    name = type(error).__name__

    first = await outcome_of(failing(error))
    last = await outcome_of(failing(error), attempt=12)

    assert first == Again(seconds(2), f"{name}: {error}")
    assert last == Dead(f"{name}: {error} (given up after 12 attempts)")


@pytest.mark.parametrize(
    ("attempt", "expected"), [(1, 2), (2, 4), (3, 8), (8, 256), (9, 512), (10, 900), (11, 900), (10_000, 900)]
)
def test_the_pause_doubles_up_to_a_quarter_of_an_hour(attempt: int, expected: int) -> None:
    assert retry_delay(ROW, attempt, chance=lambda: 0.0) == seconds(expected)


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [
        (None, seconds(8)),
        (3.0, seconds(8)),
        (60.0, seconds(60)),
        (-5.0, seconds(8)),
        (float("nan"), seconds(8)),
        (float("inf"), MAX_RETRY_AFTER),
        (1e12, MAX_RETRY_AFTER),
    ],
)
def test_a_longer_wish_of_the_other_side_is_respected_within_reason(
    retry_after: float | None, expected: timedelta
) -> None:
    found = decide(Transient("slow down", retry_after), ROW, 3, lambda: 0.0)

    assert found == Again(expected, "Transient: slow down")


def test_chance_adds_up_to_a_quarter() -> None:
    assert retry_delay(ROW, 3, chance=lambda: 0.5) == seconds(9)
    assert retry_delay(ROW, 30, chance=lambda: 1.0) == MAX_DELAY * 1.25


async def test_a_message_that_took_its_process_with_it_ten_times_is_dead() -> None:
    handled: list[Message] = []

    async def note(message: Message, delivery: Delivery) -> None:
        handled.append(message)

    assert await outcome_of(note, losses=MAX_LOSSES - 1) == Done()
    assert await outcome_of(note, losses=MAX_LOSSES) == Dead("its process died 10 times while it was in hand")
    assert len(handled) == 1


async def test_the_cancellation_of_the_caller_gets_through() -> None:
    began = asyncio.Event()

    async def wait(message: Message, delivery: Delivery) -> None:
        began.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(outcome_of(wait))
    await began.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_from_within_is_a_failure_like_others() -> None:
    found = await outcome_of(failing(asyncio.CancelledError()))

    assert found == Again(seconds(2), "Transient: its work was cancelled from within")


async def test_a_reason_can_be_stored_anywhere_and_fits_a_line() -> None:
    found = await outcome_of(failing(NotFound("a\x00b\ud800\n  c" + "x" * 5000)))

    assert isinstance(found, Dead)
    assert found.reason.startswith("NotFound: a\\x00b\\ud800 cxxx")
    assert len(found.reason) < 1100
    found.reason.encode("utf-8")


@pytest.mark.parametrize(
    ("handler", "level", "event"),
    [
        (None, "info", "message_done"),
        (failing(Unavailable("away")), "warning", "message_back"),
        (failing(Transient("502")), "warning", "message_again"),
        (failing(NotFound("none")), "error", "message_dead"),
    ],
    ids=["done", "back", "again", "dead"],
)
async def test_each_outcome_is_one_line_with_the_ids(handler: Handler | None, level: str, event: str) -> None:
    async def succeed(message: Message, delivery: Delivery) -> None:
        return

    with capture_logs() as lines:
        await outcome_of(handler or succeed)

    [line] = [line for line in lines if line["event"] != "message_failed"]
    assert (line["log_level"], line["event"]) == (level, event)
    assert (line["queue"], line["attempt"], line["character_id"]) == (QUEUE, 1, 90000001)
