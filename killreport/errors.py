"""Every error the product raises on purpose. The command line prints the message of these, and of nothing else."""

from __future__ import annotations


class KillreportError(Exception):
    """Something the reader of the message can act on; the message is one or two sentences for a person."""


class BadSetting(KillreportError):
    """A setting is unknown or has a value that cannot be used; the message names it."""


class NotFound(KillreportError):
    """The thing asked for does not exist."""


class Conflict(KillreportError):
    """The thing exists already, or is held by somebody else."""


class Refused(KillreportError):
    """The other side understood and said no; asking again changes nothing."""


class Permanent(KillreportError):
    """What was asked for cannot be done, now or later, for a reason of its own."""


class Unavailable(KillreportError):
    """A service this process needs does not answer."""


class HostAway(Unavailable):
    """A host that is none of ours does not answer, or is not to be asked now; no reason to doubt our own services."""


class CutShort(HostAway):
    """An answer began and did not come whole, or cannot be unpacked: it may come whole the next time, or never."""


class Transient(KillreportError):
    """It may work later.

    retry_after: seconds to wait before the next try, where the other side said so.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Garbled(Transient):
    """An answer came and is not whole, however often it is asked for: that one may never be."""


class Malformed(KillreportError):
    """Input that does not have the shape it should have.

    path: where, as `$.victim.items[3].flag`; `$` is the whole document.
    """

    def __init__(self, reason: str, path: str = "$") -> None:
        super().__init__(f"{reason} at {path}")
        self.reason = reason
        self.path = path


class Incomplete(Malformed):
    """An answer that lacks what it must have, but not the name. name: of what was asked for."""

    def __init__(self, reason: str, path: str, name: str) -> None:
        super().__init__(reason, path)
        self.name = name


def in_words(error: BaseException) -> str:
    """Return why, for a person: never nothing, as the text of a time-out is, and without a full stop."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    if isinstance(error, TimeoutError) and not str(error):
        return "it took too long"
    return str(error).rstrip(".") or type(error).__name__


def innermost(error: Exception) -> Exception:
    """Return the one error inside a task group's wrapping; the group itself where it holds several."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
