"""How commands take the names of processes, and how a shell completes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from killreport.fleet.table import FLEET, Kind


def _completion(kind: Kind | None = None) -> Callable[[str], list[str]]:
    """Return what completes the names of processes, or of those of a kind, for a shell."""

    def complete(incomplete: str) -> list[str]:
        return [row.name for row in FLEET if kind in (None, row.kind) and row.name.startswith(incomplete)]

    return complete


_complete_processes = _completion()

Names = Annotated[
    list[str] | None,
    typer.Argument(
        help="Names of processes, or patterns such as 'worker-*'; all if omitted.",
        metavar="[NAME]…",
        autocompletion=_complete_processes,
    ),
]
SomeNames = Annotated[
    list[str],
    typer.Argument(
        help="Names of processes, or patterns such as 'worker-*'.", metavar="NAME…", autocompletion=_complete_processes
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only", help="Same as NAME; separate several by commas.", metavar="NAME", autocompletion=_complete_processes
    ),
]
ProcessName = Annotated[
    str,
    typer.Argument(
        help="Name of the process, for example worker-redisq or queue-alliances.",
        metavar="NAME",
        autocompletion=_complete_processes,
    ),
]
WorkerName = Annotated[
    str, typer.Argument(help="Name of the worker.", metavar="NAME", autocompletion=_completion("worker"))
]
JobName = Annotated[
    str,
    typer.Argument(
        help="Name of the job; `killreport list` shows all.", metavar="JOB", autocompletion=_completion("job")
    ),
]
