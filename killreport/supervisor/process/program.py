"""A row of the fleet as a program that can be started."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from killreport.fleet.table import ProcessRow


@dataclass(frozen=True, slots=True)
class Program:
    """What to start, and the row that says how. host, port: where it listens; None where it does not.

    arguments: those of `killreport` that do the same as the command, for a template; None: it is another program.
    dies_with_supervisor: whether it ends with the supervisor however that ends, instead of waiting for the next one.
    """

    row: ProcessRow
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    host: str = "127.0.0.1"
    port: int | None = None
    arguments: Sequence[str] | None = None
    dies_with_supervisor: bool = False

    @property
    def name(self) -> str:
        """Return the process's name."""
        return self.row.name


def fleet_programs(
    rows: Sequence[ProcessRow],
    environment: Callable[[ProcessRow], Mapping[str, str]],
    host: str,
    ports: Mapping[str, int],
    options: Sequence[str] = (),
) -> tuple[Program, ...]:
    """Return the programs of these rows. environment: returns a process's own.

    ports: by the name of the setting that has them. options: of `run`.
    """
    return tuple(
        Program(
            row=row,
            command=(sys.executable, "-m", "killreport", "run", row.name, *options),
            environment={**environment(row), **row.environment},
            host=host,
            port=ports[row.port_setting] if row.port_setting else None,
            arguments=("run", row.name, *options),
        )
        for row in rows
    )
