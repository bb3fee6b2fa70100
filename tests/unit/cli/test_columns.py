"""Tables in narrow terminals: whole columns go, names stay."""

from __future__ import annotations

from operator import itemgetter

import pytest
from rich.console import Console

from killreport.cli.output.columns import TableColumn, fitted

COLUMNS: tuple[TableColumn[tuple[str, ...]], ...] = (
    TableColumn("process", itemgetter(0)),
    TableColumn("status", itemgetter(1)),
    TableColumn("CPU", itemgetter(2), 2),
    TableColumn("memory", itemgetter(3), 1),
    TableColumn("restarts", itemgetter(4), 3),
)
ROWS = [("worker-alliance-corporations", "running", "3%", "110 MB", "0"), ("queue-characters", "scheduled", "", "", "")]


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        (400, []),
        (63, ["restarts"]),
        (53, ["CPU", "restarts"]),
        (48, ["CPU", "memory", "restarts"]),
        (10, ["CPU", "memory", "restarts"]),
    ],
)
def test_columns_go_in_their_order_until_the_rest_fits(width: int, left_out: list[str]) -> None:
    table, missing = fitted(COLUMNS, ROWS, width)

    assert missing == left_out
    console = Console(width=max(width, 44))
    with console.capture() as captured:
        console.print(table)
    assert "worker-alliance-corporations" in captured.get()
    assert "running" in captured.get()


def test_a_table_without_rows_is_its_headings() -> None:
    table, missing = fitted(COLUMNS, [], 80)

    assert ([str(column.header) for column in table.columns], missing) == ([column.heading for column in COLUMNS], [])


def test_a_broken_text_leaves_room_for_the_names_and_moves_no_cursor() -> None:
    columns = (TableColumn[str]("name", lambda _row: "worker-characters"), TableColumn[str]("said", str, is_text=True))

    table, missing = fitted(columns, ["word " * 30 + "\x1b[2J"], 60)

    assert missing == []
    console = Console(width=60)
    with console.capture() as captured:
        console.print(table)
    assert "worker-characters" in captured.get()
    assert captured.get().count("word") == 30
    assert "\x1b[2J" not in captured.get()
