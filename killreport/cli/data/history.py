"""`killreport history`: compare the stored days with zKillboard's, and fill them."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from killreport.cli.context import with_database
from killreport.cli.output.options import AsJson
from killreport.cli.output.plain import print_answer

if TYPE_CHECKING:
    from killreport.config import Settings
    from killreport.db.database import Database

app = typer.Typer(no_args_is_help=True, help="Compare stored days with zKillboard and fetch what is missing.")


@app.callback()
def _group() -> None:
    """Keep `repair` a command of its own: Typer would make a single one the group itself."""


@app.command()
def repair(
    days: Annotated[int, typer.Option(min=1, max=10_000, help="How many days back from today.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Fetch the killmails of the last days that zKillboard has and this database does not.

    Safe to repeat and to interrupt. Example: killreport history repair --days 30
    """
    with_database("history", partial(_repair, days, as_json))


async def _repair(days: int, as_json: bool, settings: Settings, database: Database) -> None:
    from killreport.clock import utc_now
    from killreport.ingest.repair import open_repair

    today, done = utc_now().date(), []
    wanted = [today - timedelta(days=back) for back in range(days)]
    async with open_repair(settings, database) as repairing:
        async for day in repairing.repair(wanted, trust_counts=True):
            done.append(day)
            if not as_json:
                print(
                    f"{day.day}  published {day.published:6d}  stored before {day.stored_before:6d}"
                    f"  stored after {day.stored_after:6d}  missing {day.missing:6d}",
                    flush=True,
                )
    if as_json or not done:
        print_answer(done, f"zKillboard has published none of the last {days} days.", as_json=as_json)
