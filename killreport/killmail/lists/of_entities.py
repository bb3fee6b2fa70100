"""Pages of the killmails of many entities at once: one statement, whatever their number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.errors import Refused
from killreport.killmail.filters.predicates import Binder
from killreport.killmail.lists.pages import Cursor, Page
from killreport.killmail.stored.named import code_of
from killreport.killmail.stored.queries import MAX_PAGE, KillmailRow

_COLUMNS = ", ".join(f"k.{name}" for name in KillmailRow.__struct_fields__)
VICTIM_COLUMNS = {
    EntityKind.CHARACTER: "victim_character_id",
    EntityKind.CORPORATION: "victim_corporation_id",
    EntityKind.ALLIANCE: "victim_alliance_id",
    EntityKind.FACTION: "victim_faction_id",
    EntityKind.SHIP_TYPE: "ship_type_id",
    EntityKind.SHIP_GROUP: "ship_group_id",
}
# Of all entities together: an answer is held in memory as a whole.
MAX_ROWS = 5_000


class Side(Enum):
    """On which side of a kill an entity was."""

    KILLS = ("killed_by",)
    LOSSES = ("lost",)
    EITHER = ("killed_by", "lost")


async def list_killmails_of(
    connection: Connection,
    kind: EntityKind,
    entity_ids: Collection[int],
    side: Side,
    *,
    first: int | None = None,
    after: Cursor | None = None,
    last: int | None = None,
    before: Cursor | None = None,
) -> dict[int, Page]:
    """Return of each entity the `first` killmails after the cursor, or the `last` before it, by id; newest first.

    Raises ValueError unless one of first and last is given, 1 to MAX_PAGE; Refused for other kinds than those that
    are on killmails, and where more than MAX_ROWS killmails could come of it.
    """
    size = last if first is None else first
    if size is None or (first is not None and last is not None) or not 1 <= size <= MAX_PAGE:
        raise ValueError(f"one of first and last is needed, from 1 to {MAX_PAGE}")
    ids = sorted(set(entity_ids))
    if kind not in VICTIM_COLUMNS:
        raise Refused("Only entities that appear on killmails have lists of them.")
    if size * len(ids) > MAX_ROWS:
        raise Refused(f"{size} killmails of each of {len(ids)} are more than {MAX_ROWS}: ask for fewer.")
    cursor = after if first is not None else before
    reading = _Reading(size + 1, first is not None, cursor)
    statement, arguments = _statement(kind, ids, side, reading)
    found: dict[int, list[KillmailRow]] = {entity_id: [] for entity_id in ids}
    for entity_id, *row in await connection.fetch(statement, *arguments):
        found[entity_id].append(KillmailRow(*row))
    return {entity_id: Page.cut(rows, size, is_forward=first is not None) for entity_id, rows in found.items()}


@dataclass(frozen=True, slots=True)
class _Reading:
    """How many rows of each list, in which direction, from where."""

    limit: int
    is_forward: bool
    cursor: Cursor | None


def _statement(kind: EntityKind, ids: list[int], side: Side, reading: _Reading) -> tuple[str, list[object]]:
    """Return the statement and its arguments; every branch walks one index in the order of the list."""
    binder = Binder()
    wanted = f"{binder.bind(ids, 'bigint[]')}, {binder.bind([code_of(kind, id_) for id_ in ids], 'bigint[]')}"
    beyond = ""
    if reading.cursor is not None:
        key, killmail_id = reading.cursor
        bound = f"{binder.bind(key, 'timestamptz')}, {binder.bind(killmail_id, 'bigint')}"
        beyond = f"and (killmail_time, killmail_id) {'<' if reading.is_forward else '>'} ({bound})"
    direction = "desc" if reading.is_forward else "asc"
    order = f"order by killmail_time {direction}, killmail_id {direction} limit {reading.limit}"
    place = "select killmail_time, killmail_id from"
    branches = {
        "killed_by": f"{place} killed_by where code = wanted.code {beyond} {order}",
        "lost": f"{place} killmail where {VICTIM_COLUMNS[kind]} = wanted.id {beyond} {order}",
    }
    # A pilot who shot at its own ship is on both sides: `union` has the killmail once.
    united = " union ".join(f"({branches[name]})" for name in side.value)
    return (
        f"""select page.entity_id, {_COLUMNS} from unnest({wanted}) as wanted (id, code)
            cross join lateral (select wanted.id as entity_id, u.* from ({united}) u {order}) page
            cross join lateral (select * from killmail m where m.killmail_id = page.killmail_id offset 0) k
            order by k.killmail_time {direction}, k.killmail_id {direction}""",  # noqa: S608 - names of our own
        binder.arguments,
    )
