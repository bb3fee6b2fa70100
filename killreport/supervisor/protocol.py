"""What commands and the supervisor say to each other: one line of JSON each way, for one connection."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from killreport.supervisor.runs import JobRecord
from killreport.supervisor.state import ProcessState

Verb = Literal[
    "ping",
    "list",
    "start",
    "stop",
    "restart",
    "reload",
    "delete",
    "scale",
    "trigger",
    "runs",
    "apply",
    "save",
    "resurrect",
    "kill",
]
# A request is a verb, a name and a number.
MAX_REQUEST_BYTES = 4096


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One command. name: of the process, where the verb is done to one. waits: for the end of a triggered run."""

    verb: Verb
    name: str = ""
    count: int = 0
    waits: bool = False


class About(msgspec.Struct, frozen=True, kw_only=True):
    """The supervisor itself."""

    pid: int
    version: str
    started_at: datetime
    home: str


class ControlReply(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. names: of the processes whose overrides changed.

    error: a sentence where nothing did, of the kind `error_kind` (a class of `errors`).
    """

    error: str | None = None
    error_kind: str = ""
    about: About | None = None
    states: list[ProcessState] = []
    records: list[JobRecord] = []
    names: list[str] = []
    count: int = 0
