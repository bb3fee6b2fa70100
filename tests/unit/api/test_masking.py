"""What callers learn of failures."""

from __future__ import annotations

import pytest
import structlog.testing
from graphql import GraphQLError

from killreport.api.door.masking import AWAY, masked
from killreport.api.state.live import TooSlow
from killreport.errors import KillreportError, Refused, Transient, Unavailable


def test_what_does_not_answer_is_named_in_the_log_only() -> None:
    with structlog.testing.capture_logs() as logs:
        shown = masked(GraphQLError("amqp://inside:1 is away", original_error=Unavailable("amqp://inside:1 is away")))
    assert (shown["message"], shown["extensions"]) == (AWAY, {"code": "UNAVAILABLE"})
    assert [entry["reason"] for entry in logs] == ["amqp://inside:1 is away"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("No."), "REFUSED"),
        (Transient("No."), "TRANSIENT"),
        (TooSlow("No."), "TOO_SLOW"),
    ],
)
def test_errors_on_purpose_are_told_by_their_message(error: KillreportError, code: str) -> None:
    with structlog.testing.capture_logs():
        shown = masked(GraphQLError("No.", original_error=error))
    assert (shown["message"], shown["extensions"]) == ("No.", {"code": code})


def test_a_lost_database_is_named_without_its_address() -> None:
    with structlog.testing.capture_logs() as logs:
        shown = masked(GraphQLError("x", original_error=ConnectionRefusedError("10.0.0.5:5432")))
    assert shown["message"] == "The database does not answer; try again shortly."
    assert shown["extensions"] == {"code": "UNAVAILABLE"}
    assert [entry["event"] for entry in logs] == ["api_database_lost"]


def test_everything_else_is_told_by_an_id_only() -> None:
    with structlog.testing.capture_logs() as logs:
        shown = masked(GraphQLError("secret", original_error=RuntimeError("secret")))
    assert shown["message"] == f"Something failed here; the log has it as {logs[0]['error_id']}."
    assert "secret" not in str(shown)


def test_mistakes_of_the_caller_are_not_logged() -> None:
    with structlog.testing.capture_logs() as logs:
        shown = masked(GraphQLError("Cannot query field 'x'."))
    assert (shown["message"], shown["extensions"]) == ("Cannot query field 'x'.", {"code": "BAD_REQUEST"})
    assert logs == []


def test_an_error_of_many_parents_is_logged_once_under_one_id() -> None:
    cause = RuntimeError("broken")
    errors = [GraphQLError("broken", original_error=cause, path=["nodes", place]) for place in range(100)]

    with structlog.testing.capture_logs() as logs:
        messages = {masked(error)["message"] for error in errors}

    assert len(messages) == 1
    assert [entry["event"] for entry in logs] == ["api_query_failed"]
    assert logs[0]["error_id"] in messages.pop()
