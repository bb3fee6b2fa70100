"""Tables that keep names whole: where the terminal is narrow, whole columns are left out instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from killreport.cli.output.plain import console_of_output, print_answer
from killreport.terminal import printable

Row = TypeVar("Row")
# Between two columns: a space on either side of each.
_PADDING = 2
# A column whose lines may be broken needs no more.
_LEAST_TEXT = 20


@dataclass(frozen=True)
class TableColumn(Generic[Row]):
    """A column. cell: returns what it shows of a row; what is no text is written as one, None is nothing.

    leave_out: the highest is the first to be left out; 0: never. is_right: it ends at its right edge. is_text: its
    lines may be broken.
    """

    heading: str
    cell: Callable[[Row], object]
    leave_out: int = 0
    is_right: bool = False
    is_text: bool = False

    def of(self, row: Row) -> Text:
        """Return the cell of a row, in one line that cannot move the cursor."""
        value = self.cell(row)
        return value if isinstance(value, Text) else Text("" if value is None else printable(str(value)))


def fitted(columns: Sequence[TableColumn[Row]], rows: Sequence[Row], width: int) -> tuple[Table, list[str]]:
    """Return the table, as many columns as fit into the width, and the headings of those that were left out."""
    cells = [[column.of(row) for row in rows] for column in columns]
    widths = [_width(column, of) + _PADDING for column, of in zip(columns, cells, strict=True)]
    shown = set(range(len(columns)))
    for place in sorted(shown, key=lambda place: -columns[place].leave_out):
        if sum(widths[place] for place in shown) <= width or not columns[place].leave_out:
            break
        shown.discard(place)
    table = Table(box=None)
    for place in sorted(shown):
        column = columns[place]
        table.add_column(column.heading, justify="right" if column.is_right else "left", no_wrap=not column.is_text)
    for number in range(len(rows)):
        table.add_row(*(cells[place][number] for place in sorted(shown)))
    return table, [column.heading for place, column in enumerate(columns) if place not in shown]


def _width(column: TableColumn[Row], cells: Sequence[Text]) -> int:
    widest = max((cell.cell_len for cell in cells), default=0)
    return max(cell_len(column.heading), min(widest, _LEAST_TEXT) if column.is_text else widest)


def print_rows(
    columns: Sequence[TableColumn[Row]],
    rows: Sequence[Row],
    fields: Callable[[Row], Any],
    *,
    as_json: bool,
    empty: str = "",
) -> list[str]:
    """Print a list: of what `fields` returns of each row, as JSON, or a table as wide as the terminal, piped with
    every column. Return the headings of columns that were left out.

    empty: what is said instead of a table without rows.
    """
    if as_json or (empty and not rows):
        print_answer([fields(row) for row in rows], empty, as_json=as_json)
        return []
    console = console_of_output()
    table, left_out = fitted(columns, rows, console.width)
    console.print(table, markup=False, highlight=False)
    return left_out
