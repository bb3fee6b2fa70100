"""`killreport sde`: EVE's static data, from CCP or from a file, into the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import DownloadColumn, SpinnerColumn, TextColumn, TransferSpeedColumn

from killreport.cli.context import with_database
from killreport.cli.output.options import AsJson
from killreport.cli.output.plain import print_answer, print_fields
from killreport.cli.output.progress import progress_bar
from killreport.terminal import printable

if TYPE_CHECKING:
    from killreport.config import Settings
    from killreport.db.database import Database
    from killreport.eve.importer import StoredRelease

app = typer.Typer(no_args_is_help=True, help="Bring EVE's static data up to date.")


@app.command()
def update(
    source: Annotated[
        str | None, typer.Option("--from", help="Load this archive of CCP's instead.", metavar="PATH|URL")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Load it even if this build is stored already.")] = False,
    as_json: AsJson = False,
) -> None:
    """Load CCP's newest static data, unless it is stored already. If anything fails, the present data stays.

    Running processes pick it up, and worker-types recalculates the stored killmails that changes affect.

    Examples: killreport sde update;
    killreport sde update --from eve-online-static-data-3650286-jsonl.zip
    """
    from killreport.ingest.static_data import update_static_data

    async def work(settings: Settings, database: Database) -> tuple[StoredRelease, bool]:
        with progress_bar(
            SpinnerColumn(), TextColumn("{task.description}"), DownloadColumn(), TransferSpeedColumn()
        ) as progress:
            task = progress.add_task("downloading the static data", total=None)
            return await update_static_data(
                settings, database, source=source, force=force, on_bytes=lambda size: progress.advance(task, size)
            )

    release, is_new = with_database("sde", work)
    said = "Loaded" if is_new else "Already there:"
    text = f"{said} build {release.build_number}, released {release.released_at:%Y-%m-%d}, from {release.source}."
    print_answer({"updated": is_new, **_as_dict(release)}, printable(text), as_json=as_json)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show which build of the static data the database holds. Example: killreport sde status --json"""
    from killreport.ingest.static_data import get_release

    release = with_database("sde", lambda _settings, database: get_release(database))
    print_fields(_as_dict(release), as_json=as_json)


def _as_dict(release: StoredRelease) -> dict[str, Any]:
    return {
        "build_number": release.build_number,
        "released_at": release.released_at.isoformat(),
        "loaded_at": release.loaded_at.isoformat(),
        "source": release.source,
    }
