"""`killreport db recount`: prove that the counts equal the killmails, and mend them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from killreport.cli.context import ask_database
from killreport.cli.output.options import AsJson
from killreport.cli.output.plain import print_answer

if TYPE_CHECKING:
    from killreport.db.database import Connection
    from killreport.killmail.writing.recount import Difference


def recount(
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Replace the counts where they differ.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare all counts with the killmails. Example: killreport db recount --rebuild

    The exit status is 1 if they differ. Reads all killmails, which takes minutes for millions. With --rebuild, no
    killmail can be stored meanwhile.
    """
    found, left, due = ask_database("recount", partial(_recount, rebuild=rebuild))
    if as_json:
        differences = [
            {"table": difference.table, "key": list(map(str, difference.key))} for difference in (left or found)
        ]
        told = {"equal": not left, "rebuilt": rebuild and bool(found), "due": due, "differences": differences}
        print_answer(told, "", as_json=True)
    elif not found:
        print("All counts equal the killmails.")
    else:
        tables = ", ".join(sorted({difference.table for difference in found}))
        print(f"The counts differ from the killmails in {tables}.")
        if rebuild:
            print("Rebuilt; they differ still." if left else "Rebuilt: all counts equal the killmails now.")
    if due and not as_json:
        changed, their = ("1 type or system", "its") if due == 1 else (f"{due} types and systems", "their")
        print(f"The static data of {changed} changed, and worker-types is to derive {their} killmails again.")
    if left:
        raise typer.Exit(1)


async def _recount(connection: Connection, *, rebuild: bool) -> tuple[list[Difference], list[Difference], int]:
    """Return the differences found, those left in the end, and how much of the static data waits to be followed."""
    from killreport.killmail.writing.recount import rebuild_rollups, recount_differences
    from killreport.killmail.writing.rederive_due import count_due

    found = await recount_differences(connection)
    due = await count_due(connection)
    if not (found and rebuild):
        return found, found, due
    await rebuild_rollups(connection)
    return found, await recount_differences(connection), due
