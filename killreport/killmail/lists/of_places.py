"""Pages of the killmails of many places, hulls or groups of hulls at once: one statement, whatever their number."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from killreport.db.database import Connection
from killreport.errors import Refused
from killreport.killmail.lists.pages import Cursor, Page
from killreport.killmail.stored.queries import MAX_PAGE, KillmailRow

# Of all together: an answer is held in memory as a whole.
MAX_ROWS = 5_000

_COLUMNS = ", ".join(KillmailRow.__struct_fields__)


class IndexedColumn(StrEnum):
    """The columns whose killmails are read; each has an index by time and id."""

    SOLAR_SYSTEM = "solar_system_id"
    CONSTELLATION = "constellation_id"
    REGION = "region_id"
    SHIP_TYPE = "ship_type_id"
    SHIP_GROUP = "ship_group_id"


async def list_by_column(
    connection: Connection,
    column: IndexedColumn,
    ids: Collection[int],
    *,
    size: int,
    cursor: Cursor | None = None,
    is_forward: bool = True,
) -> dict[int, Page]:
    """Return of each id the `size` killmails after the cursor, or before it, by id; newest first.

    Raises ValueError for a size that is not 1 to MAX_PAGE, Refused where more than MAX_ROWS could come of it.
    """
    if not 1 <= size <= MAX_PAGE:
        raise ValueError(f"a size from 1 to {MAX_PAGE} is needed")
    wanted = sorted(set(ids))
    if size * len(wanted) > MAX_ROWS:
        raise Refused(f"{size} killmails of each of {len(wanted)} are more than {MAX_ROWS}: ask for fewer.")
    direction, beyond = ("desc", "<") if is_forward else ("asc", ">")
    order = f"order by killmail_time {direction}, killmail_id {direction}"
    limits = "" if cursor is None else f"and (killmail_time, killmail_id) {beyond} ($2::timestamptz, $3::bigint)"
    rows = await connection.fetch(
        f"""select wanted.id, found.* from unnest($1::bigint[]) as wanted (id) cross join lateral (
                select {_COLUMNS} from killmail where {column} = wanted.id {limits} {order} limit {size + 1}) found
            {order}""",  # noqa: S608 - names and numbers of our own
        wanted,
        *(cursor or ()),
    )
    found: dict[int, list[KillmailRow]] = {one: [] for one in wanted}
    for one, *row in rows:
        found[one].append(KillmailRow(*row))
    return {one: Page.cut(rows, size, is_forward=is_forward) for one, rows in found.items()}
