"""In which form a list is answered: what `?format=` names, else what the Accept header likes best.

Where an address ends in a format, such as `.json`, that is the format. What is not offered is refused: who asked for
CSV would read JSON as something else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from starlette.requests import Request

from killreport.api.door.guard.negotiation import best_of
from killreport.errors import Malformed, Refused

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
PARAMETER = "format"
_NAMES: Mapping[str, str] = {JSON: "json", NDJSON: "ndjson", CSV: "csv"}
# What else means the same, as older clients send it.
_ALIASES: Mapping[str, tuple[str, ...]] = {
    JSON: ("text/json", "application/*"),
    NDJSON: ("application/ndjson", "application/jsonl"),
    CSV: ("text/*", "application/csv"),
}
# Java's own client sends the lone star.
_ANYTHING = ("*/*", "*")


class NotAcceptable(Refused):
    """Nothing that the Accept header names is offered."""


def format_names(offered: Collection[str]) -> list[str]:
    """Return the names of media types, as `?format=` has them."""
    return [_NAMES[media] for media in offered]


def asked_media(request: Request, offered: Collection[str]) -> str:
    """Return the media type that a request wants, the first one offered where it does not say.

    Raises Malformed for a format that is not offered, NotAcceptable where the Accept header names nothing that is.
    """
    usual = next(iter(offered))
    name = request.query_params.get(PARAMETER)
    if name is not None and len(offered) > 1:
        by_name = dict(zip(format_names(offered), offered, strict=True))
        if name not in by_name:
            raise Malformed(f"one of {', '.join(by_name)} is needed", PARAMETER)
        return by_name[name]
    choices = {word: media for media in offered for word in (media, *_ALIASES.get(media, ()))}
    found = best_of(request.headers.get("accept"), choices | dict.fromkeys(_ANYTHING, usual), usual)
    if found is None:
        raise NotAcceptable(f"This endpoint offers {' or '.join(offered)}, and the Accept header accepts neither.")
    return found
