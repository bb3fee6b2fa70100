"""Media types and statuses."""

from __future__ import annotations

import pytest

from killreport.api.door.guard.negotiation import as_request_error, media_type, status_of

JSON, RESPONSE, EVENTS = "application/json", "application/graphql-response+json", "text/event-stream"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("text/html, */*;q=0.8", JSON),
        (f"{RESPONSE}, {JSON}", RESPONSE),
        (f"{RESPONSE};q=0.5, {JSON};charset=utf-8", JSON),
        (EVENTS, EVENTS),
        ("text/html", None),
        (f"{JSON};q=0", None),
        (f"{JSON};q=nonsense", None),
    ],
)
def test_the_media_type_is_the_one_the_client_likes_best(accept: str | None, expected: str | None) -> None:
    assert media_type(accept) == expected


def test_a_status_tells_whether_anything_was_executed_to_those_who_understand_it() -> None:
    refused = {"errors": [{"message": "no", "extensions": {"code": "BAD_REQUEST"}}]}
    assert status_of(refused, JSON) == 200
    assert status_of(refused, RESPONSE) == 400
    assert status_of({"data": {"a": None}, "errors": refused["errors"]}, RESPONSE) == 200
    assert status_of({"errors": [{"message": "late", "extensions": {"code": "TIMEOUT"}}]}, JSON) == 503


def test_variables_that_do_not_fit_leave_no_data() -> None:
    errors = [{"message": "no"}]
    assert as_request_error({"data": None, "errors": errors}) == {"errors": errors}
    failed = {"data": None, "errors": [{"message": "no", "path": ["a"]}]}
    assert as_request_error(failed) == failed
