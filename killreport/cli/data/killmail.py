"""`killreport killmail`: take a killmail out by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from killreport.cli.context import with_database
from killreport.cli.output.options import AsJson
from killreport.cli.output.plain import print_answer
from killreport.errors import NotFound
from killreport.ids import MAX_ID

app = typer.Typer(no_args_is_help=True, help="Remove killmails by hand.")


@app.callback()
def _group() -> None:
    """Keep `remove` a command of its own: Typer would make a single one the group itself."""


@app.command()
def remove(
    killmail_ids: Annotated[list[int], typer.Argument(help="Ids of the killmails.", metavar="ID…", min=1, max=MAX_ID)],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the id.")],
    as_json: AsJson = False,
) -> None:
    """Remove killmails and their counts for good; no source can add them again.

    Example: killreport killmail remove 97074312 --reason 'asked for by CCP'
    """
    from killreport.killmail.writing.remove import remove_killmails

    removed = with_database("killmail", lambda _settings, database: remove_killmails(database, killmail_ids, reason))
    if as_json or removed:
        told = f"Removed {len(removed)}: {', '.join(map(str, removed))}."
        print_answer({"removed": removed}, told, as_json=as_json)
    if not removed:
        raise NotFound("None of these killmails is stored: nothing was removed.")
