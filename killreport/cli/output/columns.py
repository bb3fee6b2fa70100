"""Tables that keep names whole: where the terminal is narrow, whole columns are left out instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from killreport.cli.output.plain import console_of_output

Cell = str | Text
# Between two columns: a space on either side of each.
_PADDING = 2


@dataclass(frozen=True)
class TableColumn:
    """A column. leave_out: the highest is the first to be left out; 0: never. is_right: it ends at its right edge."""

    heading: str
    leave_out: int = 0
    is_right: bool = False


def fitted(columns: Sequence[TableColumn], rows: Sequence[Sequence[Cell]], width: int) -> tuple[Table, list[str]]:
    """Return the table, as many columns as fit into the width, and the headings of those that were left out."""
    widths = [
        max(cell_len(column.heading), *(cell_len(str(row[place])) for row in rows), 0) + _PADDING
        for place, column in enumerate(columns)
    ]
    shown = set(range(len(columns)))
    for place in sorted(shown, key=lambda place: -columns[place].leave_out):
        if sum(widths[place] for place in shown) <= width or not columns[place].leave_out:
            break
        shown.discard(place)
    table = Table(box=None)
    for place in sorted(shown):
        column = columns[place]
        table.add_column(column.heading, justify="right" if column.is_right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(row[place] for place in sorted(shown)))
    return table, [column.heading for place, column in enumerate(columns) if place not in shown]


def print_columns(columns: Sequence[TableColumn], rows: Sequence[Sequence[Cell]]) -> list[str]:
    """Print the table as `fitted` makes it for the terminal, piped with every column; return what was left out."""
    console: Console = console_of_output()
    table, left_out = fitted(columns, rows, console.width)
    console.print(table, markup=False, highlight=False)
    return left_out
