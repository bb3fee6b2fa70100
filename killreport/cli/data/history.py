"""`killreport history`: compare the stored days with zKillboard's, and fill them."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from killreport.cli.context import load, open_ready_database
from killreport.cli.output.options import AsJson

if TYPE_CHECKING:
    from killreport.ingest.repair import DayRepair

app = typer.Typer(no_args_is_help=True, help="Compare stored days with zKillboard's and fill them.")


@app.callback()
def _group() -> None:
    """Keep `repair` a command of its own: Typer would make a single one the group itself."""


@app.command()
def repair(
    days: Annotated[int, typer.Option(min=1, max=10_000, help="How many days back from today.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Store the killmails of the last days that zKillboard has and this database has not.

    Safe to repeat and to interrupt. Example: killreport history repair --days 30
    """
    asyncio.run(_repair(days, as_json))


async def _repair(days: int, as_json: bool) -> None:
    done = []
    async for day in _repaired(days):
        done.append(day)
        if not as_json:
            print(
                f"{day.day}  published {day.published:6d}  stored before {day.stored_before:6d}"
                f"  stored after {day.stored_after:6d}  missing {day.missing:6d}",
                flush=True,
            )
    if as_json:
        print(json.dumps([_as_dict(day) for day in done]))
    elif not done:
        print(f"zKillboard has published none of the last {days} days.")


async def _repaired(days: int) -> AsyncIterator[DayRepair]:
    from killreport.clock import utc_now
    from killreport.ingest.repair import open_repair

    settings = load()
    today = utc_now().date()
    async with (
        open_ready_database(settings, process="history") as database,
        open_repair(settings, database) as repairing,
    ):
        wanted = [today - timedelta(days=back) for back in range(days)]
        async for day in repairing.repair(wanted, trust_counts=True):
            yield day


def _as_dict(day: DayRepair) -> dict[str, Any]:
    return {**dataclasses.asdict(day), "day": day.day.isoformat()}
