"""Lists as CSV (RFC 4180), for people with a spreadsheet.

A text that a spreadsheet would run as a formula has an apostrophe before it: names come from players.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from starlette.responses import Response

from killreport.api.rest.formats import CSV
from killreport.api.views.killmail import KillmailView
from killreport.db.view_export import FORMULA_SIGNS
from killreport.killmail.shown.esi_body import time_text


def csv_answer(header: Sequence[str], rows: Iterable[Sequence[Any]], *, name: str, cache: str) -> Response:
    """Return a table. name: of the file, where a browser saves it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    headers = {"Cache-Control": cache, "Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(text.getvalue(), 200, headers, f"{CSV}; charset=utf-8; header=present")


def killmails_as_csv(killmails: Iterable[KillmailView], *, cache: str) -> Response:
    """Return a line a killmail, with names."""
    rows = ([read(killmail) for read in COLUMNS.values()] for killmail in killmails)
    return csv_answer(list(COLUMNS), rows, name="killmails", cache=cache)


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(tuple(FORMULA_SIGNS)) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return time_text(value)
    return value


def _isk(cents: int | None) -> str | None:
    return None if cents is None else f"{cents // 100}.{cents % 100:02d}"


def _party(side: str) -> dict[str, Callable[[KillmailView], Any]]:
    """Return the columns of who is on one side: `victim` or `final_blow`."""

    def of(kind: str, attribute: str) -> Callable[[KillmailView], Any]:
        return lambda killmail: getattr(getattr(getattr(killmail, side), kind), attribute, None)

    return {
        f"{side}_{kind}_{attribute}": of(kind, attribute)
        for kind in ("character", "corporation", "alliance", "faction")
        for attribute in ("id", "name")
    }


# Under the names of the views for analysts, as far as these have them.
COLUMNS: Mapping[str, Callable[[KillmailView], Any]] = {
    "killmail_id": lambda killmail: killmail.id,
    "killmail_hash": lambda killmail: killmail.hash,
    "killed_at": lambda killmail: killmail.time,
    "solar_system_id": lambda killmail: killmail.solar_system.id,
    "solar_system_name": lambda killmail: killmail.solar_system.name,
    "region_id": lambda killmail: getattr(killmail.solar_system.region, "id", None),
    "region_name": lambda killmail: getattr(killmail.solar_system.region, "name", None),
    **_party("victim"),
    "ship_type_id": lambda killmail: killmail.victim.ship_type.id,
    "ship_type_name": lambda killmail: killmail.victim.ship_type.name,
    **_party("final_blow"),
    "attacker_count": lambda killmail: killmail.attacker_count,
    "total_isk": lambda killmail: _isk(killmail.row.total_value_cents),
    "destroyed_isk": lambda killmail: _isk(killmail.row.destroyed_value_cents),
    "dropped_isk": lambda killmail: _isk(killmail.row.dropped_value_cents),
    "fitted_isk": lambda killmail: _isk(killmail.row.fitted_value_cents),
    "is_value_complete": lambda killmail: killmail.row.is_worth_known,
    "points": lambda killmail: killmail.points,
    "is_solo": lambda killmail: killmail.solo,
    "is_npc": lambda killmail: killmail.npc,
    "is_awox": lambda killmail: killmail.awox,
    "labels": lambda killmail: " ".join(killmail.labels),
}
