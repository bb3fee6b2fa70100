"""A filter of killmails written as a query string, one key an entry of the table: `?victimAlliance=99000001&solo=true`.

Lists have commas between their entries, hours are written `22-4`. A filter that nests goes into `filter`, as JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from killreport.errors import Malformed
from killreport.ids import read_whole
from killreport.killmail.filters.table import FILTERS
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.filters.values import (
    LABEL_PATTERN,
    MAX_ISK,
    MAX_LISTED,
    Count,
    Hours,
    Ids,
    Instant,
    ValueKind,
    Words,
    YesNo,
)

WHOLE = "filter"
MAX_TEXT = 4_000
# Two hours that differ.
_HOURS = r"^(?!(\d+)-\1$)(\d|1\d|2[0-3])-(\d|1\d|2[0-4])$"
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def read_filter(query: Iterable[tuple[str, str]]) -> KillmailFilter:
    """Return the filter of a query string's keys and values; every condition must hold. Raises Malformed."""
    conditions = [_condition(name, text) for name, text in query]
    return KillmailFilter.read({"and": conditions} if conditions else {})


def _condition(name: str, text: str) -> dict[str, Any]:
    if len(text) > MAX_TEXT:
        raise Malformed(f"more than {MAX_TEXT} letters", name)
    if name == WHOLE:
        return _json(text)
    if name not in FILTERS:
        raise Malformed("there is no such condition", name)
    return {name: _plain(FILTERS[name].kind, text)}


def _json(text: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed(f"a JSON object is needed ({error})", WHOLE) from None
    return found


def _plain(kind: ValueKind, text: str) -> Any:
    """Return the text as the plain value its kind reads; what it cannot be is left for the kind to refuse."""
    found: Any = text
    match kind:
        case Ids():
            found = [_whole(part) for part in text.split(",")]
        case Words():
            found = text.split(",")
        case Count():
            found = _whole(text)
        case YesNo():
            found = _FLAGS.get(text.lower(), text)
        case Hours():
            first, _, end = text.partition("-")
            found = {"from": _whole(first), "to": _whole(end)}
        case Instant():
            found = text.replace(" ", "+")  # what a query string makes of the plus of a time zone
    return found


def _whole(text: str) -> int | str:
    text = text.strip()
    number = read_whole(text)
    return text if number is None else number


def parameter_schemas() -> Mapping[str, tuple[str, dict[str, Any]]]:
    """Return the help and the JSON schema of every key but WHOLE, for the OpenAPI document."""
    return {entry.name: (f"{entry.section}: {entry.help}.", _schema(entry.kind)) for entry in FILTERS.values()}


def _schema(kind: ValueKind) -> dict[str, Any]:
    match kind:
        case Ids(most=most):
            found = _listed({"type": "integer", "minimum": 1, "maximum": most})
        case Words(choices=choices):
            found = _listed({"type": "string", **({"enum": list(choices)} if choices else {"pattern": LABEL_PATTERN})})
        case Count(most=most):
            found = {"type": "integer", "minimum": 0, "maximum": most}
        case YesNo():
            found = {"type": "boolean"}
        case Hours():
            found = {"type": "string", "pattern": _HOURS, "examples": ["22-4"]}
        case Instant():
            found = {"type": "string", "format": "date-time"}
        case _:
            found = {"type": "number", "minimum": 0, "maximum": MAX_ISK}
    return found


def _listed(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1, "maxItems": MAX_LISTED}
