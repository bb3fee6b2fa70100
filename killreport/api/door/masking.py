"""What a caller learns of a failure: a sentence and a code, never the inside.

Mistakes of the query are told in full. Errors the product raises on purpose are told by their message. Everything else
is logged whole under a short id, and the caller gets that id.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any

import structlog
from graphql import GraphQLError

from killreport.api.door.audit import is_operator_asking
from killreport.db.database import is_away
from killreport.errors import KillreportError, Unavailable

_log = structlog.get_logger(__name__)

AWAY = "Something that this needs does not answer; try again shortly."

# On an error that was logged: a resolver has one for all its parents, and the log needs it once.
_LOGGED_AS = "logged_as"


def masked(error: GraphQLError) -> dict[str, Any]:
    """Return the error as the caller may see it: message, place in the query, path, `extensions.code`."""
    cause = _cause(error)
    shown: dict[str, Any] = dict(error.formatted)
    extensions = dict(error.extensions or {})
    if isinstance(cause, KillreportError):
        extensions.setdefault("code", error_code(type(cause)))
        shown["message"] = sentence_of(cause, shown["message"])
    elif cause is not None:
        failure = told_failure(cause, "api_query_failed", path=error.path)
        shown["message"], extensions = failure.sentence, {"code": failure.code}
    else:
        extensions.setdefault("code", "BAD_REQUEST")
    shown["extensions"] = extensions
    return shown


@dataclass(frozen=True, slots=True)
class Failure:
    """What a caller learns of what is no fault of theirs."""

    status: int
    sentence: str
    code: str


def told_failure(cause: BaseException, event: str = "api_failed", **noted: Any) -> Failure:
    """Return what is told of an error that nobody raised on purpose; it is logged, once, under the event."""
    if is_away(cause):
        _log.warning("api_database_lost", reason=repr(cause))
        return Failure(503, "The database does not answer; try again shortly.", error_code(Unavailable))
    error_id = getattr(cause, _LOGGED_AS, None)
    if error_id is None:
        error_id = secrets.token_hex(4)
        setattr(cause, _LOGGED_AS, error_id)
        _log.error(event, error_id=error_id, exc_info=cause, **noted)
    return Failure(500, f"Something failed here; the log has it as {error_id}.", "INTERNAL")


def sentence_of(error: KillreportError, message: str | None = None) -> str:
    """Return what a caller reads of an error of ours, noting what is not for everybody.

    What does not answer is named with its address and its library's words: that is for the operator, and for the log.
    """
    said = str(error) if message is None else message
    if not isinstance(error, Unavailable):
        return said
    _log.warning("api_unavailable", reason=str(error))
    return said if is_operator_asking() else AWAY


def error_code(kind: type[BaseException]) -> str:
    """Return the code callers see for an error of ours: its name in capitals, as TOO_SLOW for TooSlow."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).upper()


def _cause(error: GraphQLError) -> BaseException | None:
    """Return what was raised inside a resolver; None where the query itself is at fault."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause
