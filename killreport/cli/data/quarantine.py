"""`killreport quarantine`: what could not be stored, and what to do about it."""

from __future__ import annotations

import base64
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from killreport.cli.context import ask_database, with_database
from killreport.cli.output.columns import TableColumn, print_rows
from killreport.cli.output.options import AsJson, Yes
from killreport.cli.output.plain import confirm, print_answer, print_fields
from killreport.errors import Malformed
from killreport.ids import MAX_ID
from killreport.terminal import in_lines, written_out

if TYPE_CHECKING:
    from killreport.config import Settings
    from killreport.db.database import Database
    from killreport.killmail.stored.quarantine import QuarantineEntry

app = typer.Typer(no_args_is_help=True, help="List, retry and purge killmails that could not be stored.")

Numbers = Annotated[
    list[int] | None, typer.Argument(help="Numbers of entries; all if omitted.", metavar="[NUMBER]…", min=1, max=MAX_ID)
]
PAGE = 500

_COLUMNS: tuple[TableColumn[QuarantineEntry], ...] = (
    TableColumn("number", lambda entry: entry.quarantine_id),
    TableColumn("source", lambda entry: entry.reject.source),
    TableColumn("reference", lambda entry: entry.reject.reference, is_text=True),
    TableColumn("killmail", lambda entry: entry.reject.killmail_id),
    TableColumn("path", lambda entry: entry.reject.path, is_text=True),
    TableColumn("reason", lambda entry: entry.reject.reason, is_text=True),
    TableColumn("tries", lambda entry: entry.tries),
)


@app.command("list")
def list_entries(
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")] = 100,
    after: Annotated[int, typer.Option(min=0, max=MAX_ID, help="Start after the entry with this number.")] = 0,
) -> None:
    """List the entries in the order they came. Example: killreport quarantine list --json | jq .[].reason"""
    from killreport.killmail.stored.quarantine import list_quarantine

    entries = ask_database(
        "quarantine", lambda connection: list_quarantine(connection, limit, after, with_bodies=False)
    )
    print_rows(_COLUMNS, entries, _as_dict, as_json=as_json, empty="Nothing is in quarantine.")


@app.command()
def show(
    number: Annotated[int, typer.Argument(help="Number of the entry.", metavar="NUMBER", min=1, max=MAX_ID)],
    as_json: AsJson = False,
) -> None:
    """Show one entry with its body; --json has it byte for byte. Example: killreport quarantine show 12"""
    from killreport.killmail.stored.quarantine import get_quarantined

    entry = ask_database("quarantine", lambda connection: get_quarantined(connection, number))
    if as_json:
        body = base64.b64encode(entry.reject.body).decode()
        print_fields(_as_dict(entry) | {"body_base64": body}, as_json=True)
        return
    print_fields(_as_dict(entry), as_json=False)
    print(in_lines(entry.reject.body.decode("utf-8", "backslashreplace"), written_out))


@app.command()
def retry(numbers: Numbers = None, as_json: AsJson = False) -> None:
    """Retry entries, for example after an update; those that are stored leave the quarantine.

    Example: killreport quarantine retry 12
    """
    outcome = with_database("quarantine", partial(_retry, numbers))
    report = {"tried": outcome.total(), "stored": outcome["stored"], "kept": outcome["kept"]}
    told = f"{report['tried']} tried: {report['stored']} stored, {report['kept']} kept."
    print_answer(report, told, as_json=as_json)


@app.command()
def purge(
    numbers: Numbers = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete entries for good. Example: killreport quarantine purge 12 13"""
    from killreport.killmail.stored.quarantine import purge_quarantine

    what = "every entry" if not numbers else f"{len(numbers)} entries"
    confirm(f"Delete {what} of the quarantine for good?", yes=yes)
    deleted = ask_database("quarantine", lambda connection: purge_quarantine(connection, numbers or None))
    print_answer({"deleted": deleted}, f"{deleted} deleted.", as_json=as_json)


def _as_dict(entry: QuarantineEntry) -> dict[str, Any]:
    reject = entry.reject
    return {
        "number": entry.quarantine_id,
        "source": reject.source,
        "reference": reject.reference,
        "killmail_id": reject.killmail_id,
        "path": reject.path,
        "reason": reject.reason,
        "bytes": entry.size,
        "seen_at": entry.seen_at.isoformat(),
        "tried_at": entry.tried_at.isoformat(),
        "tries": entry.tries,
    }


async def _retry(numbers: list[int] | None, settings: Settings, _database: Database) -> Counter[str]:
    """Hand the bodies in again, one a transaction; an entry goes once its killmail is stored, by whomever."""
    from killreport.cli.data.import_jobs import open_writer
    from killreport.killmail.mail.arrival import read_arrival
    from killreport.killmail.stored.quarantine import get_quarantined, list_quarantine, purge_quarantine, save_rejects

    outcome: Counter[str] = Counter()
    async with open_writer(settings) as (database, writer), database.connection() as connection:
        if numbers:
            wanted = list(numbers)
        else:
            wanted = []
            while page := await list_quarantine(connection, PAGE, wanted[-1] if wanted else 0, with_bodies=False):
                wanted += [entry.quarantine_id for entry in page]
        for number in wanted:
            entry = await get_quarantined(connection, number)
            reject = entry.reject
            try:
                arrival = read_arrival(reject.body, reject.source, reject.reference)
            except Malformed as error:
                again = type(reject)(reject.source, reject.reference, error.reason, error.path, reject.body)
                await save_rejects(connection, [again])
                outcome["kept"] += 1
                continue
            stored = await writer.store(database, [arrival])
            if stored.quarantined:
                outcome["kept"] += 1
            else:
                await purge_quarantine(connection, [entry.quarantine_id])
                outcome["stored"] += 1
    return outcome
