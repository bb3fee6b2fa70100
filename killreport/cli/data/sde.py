"""`killreport sde`: EVE's static data, from CCP or from a file, into the database."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn, TransferSpeedColumn

from killreport.cli.context import load, open_ready_database
from killreport.cli.output.options import AsJson
from killreport.terminal import printable

if TYPE_CHECKING:
    from killreport.config import Settings
    from killreport.eve.importer import StoredRelease

app = typer.Typer(no_args_is_help=True, help="Bring EVE's static data up to date.")


@app.command()
def update(
    source: Annotated[
        str | None, typer.Option("--from", help="An archive of CCP's: a path or a URL.", metavar="PATH|URL")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Import the build that is stored already, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Load CCP's newest static data unless it is there already; whatever fails, the present data stays.

    Running processes take it over, and worker-types derives the killmails again that name what changed.

    Examples: killreport sde update;
    killreport sde update --from eve-online-static-data-3650286-jsonl.zip
    """
    settings = load(process="sde")
    release, is_new = asyncio.run(_update(settings, source, force=force))
    if as_json:
        print(json.dumps({"updated": is_new, **_as_dict(release)}))
    else:
        said = "Loaded" if is_new else "Already there:"
        source = printable(release.source)
        print(f"{said} build {release.build_number}, released {release.released_at:%Y-%m-%d}, from {source}.")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show which build of the static data the database holds. Example: killreport sde status --json"""
    settings = load(process="sde")
    release = asyncio.run(_status(settings))
    for name, value in _as_dict(release).items():
        if not as_json:
            print(f"{name + ':':15}{printable(str(value))}")
    if as_json:
        print(json.dumps(_as_dict(release)))


def _as_dict(release: StoredRelease) -> dict[str, Any]:
    return {
        "build_number": release.build_number,
        "released_at": release.released_at.isoformat(),
        "loaded_at": release.loaded_at.isoformat(),
        "source": release.source,
    }


async def _status(settings: Settings) -> StoredRelease:
    from killreport.ingest.static_data import get_release

    async with open_ready_database(settings, process="sde") as database:
        return await get_release(database)


async def _update(settings: Settings, source: str | None, *, force: bool) -> tuple[StoredRelease, bool]:
    """Return what the database holds afterwards, and whether that was loaded now."""
    from killreport.ingest.static_data import update_static_data

    columns = (SpinnerColumn(), TextColumn("{task.description}"), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    async with open_ready_database(settings, process="sde") as database:
        with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as progress:
            task = progress.add_task("downloading the static data", total=None)
            return await update_static_data(
                settings, database, source=source, force=force, on_bytes=lambda size: progress.advance(task, size)
            )
