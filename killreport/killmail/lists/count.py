"""How many killmails a list has in all, for those lists whose number a rollup keeps."""

from __future__ import annotations

from collections.abc import Sequence

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.killmail.filters.predicates import ColumnIs, Killer
from killreport.killmail.filters.tree import Condition, KillmailFilter

# `total_stat` counts a killmail for its places as a kill, for the victim's side as a loss.
_PLACES = {
    "solar_system_id": EntityKind.SOLAR_SYSTEM,
    "constellation_id": EntityKind.CONSTELLATION,
    "region_id": EntityKind.REGION,
}
_VICTIMS = {
    "victim_character_id": EntityKind.CHARACTER,
    "victim_corporation_id": EntityKind.CORPORATION,
    "victim_alliance_id": EntityKind.ALLIANCE,
    "victim_faction_id": EntityKind.FACTION,
    "ship_type_id": EntityKind.SHIP_TYPE,
    "ship_group_id": EntityKind.SHIP_GROUP,
}
_COUNTED = frozenset(map(int, EntityKind))
_EVERYTHING = (0, 0, False)


async def count_killmails(connection: Connection, filters: Sequence[KillmailFilter]) -> list[int | None]:
    """Return the length of each list: of all killmails, or of one id on one side or in one place; None for others.

    One statement, which reads a row a list and, for all killmails, a row a day.
    """
    keys = [_key_of(wanted) for wanted in filters]
    asked = sorted({key for key in keys if key is not None and key != _EVERYTHING})
    if not asked and _EVERYTHING not in keys:
        return [None] * len(keys)
    rows = await connection.fetch(
        """select asked.kind, asked.id, asked.is_loss, case when asked.is_loss then t.losses else t.kills end as count
             from unnest($1::smallint[], $2::bigint[], $3::boolean[]) as asked(kind, id, is_loss)
             join total_stat t on t.entity_kind = asked.kind and t.entity_id = asked.id
            union all
           select 0, 0, false, (select coalesce(sum(killmails), 0)::bigint from daily_total) where $4""",
        [kind for kind, _, _ in asked],
        [entity_id for _, entity_id, _ in asked],
        [is_loss for _, _, is_loss in asked],
        _EVERYTHING in keys,
    )
    counts = {tuple(row)[:3]: row["count"] for row in rows}
    return [None if key is None else counts.get(key, 0) for key in keys]


def _key_of(wanted: KillmailFilter) -> tuple[int, int, bool] | None:
    """Return the row of `total_stat` that counts the list and whether as losses; None where there is none."""
    parts = wanted.root.parts
    if not parts:
        return _EVERYTHING
    part = parts[0]
    if len(parts) > 1 or not isinstance(part, Condition) or not isinstance(part.value, tuple) or len(part.value) > 1:
        return None
    predicate = part.filter.predicate
    if isinstance(predicate, Killer) and predicate.kind in _COUNTED:
        return predicate.kind, part.value[0], False
    if isinstance(predicate, ColumnIs) and predicate.name in _PLACES:
        return _PLACES[predicate.name], part.value[0], False
    if isinstance(predicate, ColumnIs) and predicate.name in _VICTIMS:
        return _VICTIMS[predicate.name], part.value[0], True
    return None
