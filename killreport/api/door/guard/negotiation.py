"""Which media type answers, and which status goes with it.

Source: https://graphql.github.io/graphql-over-http/draft/, sections Accept and Status Codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
EVENTS = "text/event-stream"
_CHOICES = {
    JSON: JSON,
    RESPONSE: RESPONSE,
    EVENTS: EVENTS,
    "application/graphql+json": RESPONSE,
    "application/*": JSON,
    "*/*": JSON,
}
# The same for both media types: nothing of the request was looked at, or it was not at fault.
_STATUS_OF_CODE = {
    "PAYLOAD_TOO_LARGE": 413,
    "RATE_LIMITED": 429,
    "TOO_MANY_CONNECTIONS": 429,
    "TIMEOUT": 503,
    "METHOD_NOT_ALLOWED": 405,
    "PERSISTED_QUERY_NOT_FOUND": 200,
}


def media_type(accept: str | None) -> str | None:
    """Return the media type in which GraphQL answers an Accept header; None where nothing fits."""
    return best_of(accept, _CHOICES, JSON)


def best_of(accept: str | None, choices: Mapping[str, str], usual: str) -> str | None:
    """Return what an Accept header likes best, the first of equals; None where nothing fits.

    choices: media types by the words that may ask for them, wildcards among them. usual: without a header.
    """
    if accept is None or not accept.strip():
        return usual
    best: tuple[float, str | None] = (0.0, None)
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        found = choices.get(name)
        quality = _quality(parameters)
        if found is not None and quality > best[0]:
            best = quality, found
    return best[1]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


def status_of(content: dict[str, Any], media: str) -> int:
    """Return the status of a result.

    application/json answers 200 whatever GraphQL says, since such clients expect that; the newer media type answers
    400 where nothing was executed.
    """
    for error in content.get("errors", ()):
        status = _STATUS_OF_CODE.get(error.get("extensions", {}).get("code", ""))
        if status is not None and content.get("data") is None:
            return status
    return 400 if "data" not in content and media == RESPONSE else 200


def as_request_error(content: dict[str, Any]) -> dict[str, Any]:
    """Return the result without `data` where nothing was executed: variables that do not fit fail before any field."""
    errors = content.get("errors")
    if errors and content.get("data") is None and not any(error.get("path") for error in errors):
        return {name: value for name, value in content.items() if name != "data"}
    return content
