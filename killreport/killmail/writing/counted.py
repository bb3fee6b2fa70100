"""What a stored killmail counts for in the rollups, read back from its rows: to correct it or to take it away.

As it was counted, not as it would be today: the groups of the killers' hulls are those whose postings have it, though a
hull may be in another group by now. The victim's group and the places are in its own row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.killmail.postings.codes import Side, code_of
from killreport.killmail.postings.table import DaySets, read_days
from killreport.killmail.stored.named import Named, add_marks, marks_of_labels, named_in
from killreport.killmail.stored.queries import KillmailRow, get_killmails, list_attackers, list_items
from killreport.killmail.stored.remade import mail_of
from killreport.killmail.stored.rollup import Rollup

# Of rows that an older release stored it is the group of today; of a hull that changed since, the one it had.
FINAL_BLOW_GROUP = """coalesce(final_blow_ship_group_id,
    case when due.id is null then final.group_id else due.former_group_ids[1] end, 0)"""
# Only groups that a hull of the mail is in, or was in when the mail was counted, can be among its killers.
_GROUPS = f"""
    with mail as (
        select killmail_id, (killmail_time at time zone 'UTC')::date as day, final_blow_ship_type_id,
               final_blow_ship_group_id
        from killmail where killmail_id = any($1)
    ), hull as (
        select distinct killmail_id, ship_type_id from attacker where killmail_id = any($1) and ship_type_id is not null
    ), known as (
        select killmail_id, group_id from hull join eve_type on type_id = ship_type_id
        union
        select killmail_id, unnest(former_group_ids) from hull join derive_due on kind = 'type' and id = ship_type_id
    )
    select killmail_id, day, known.group_id, known.group_id = {FINAL_BLOW_GROUP} as is_final_blow
    from mail join known using (killmail_id)
    left join eve_type final on final.type_id = final_blow_ship_type_id
    left join derive_due due on due.kind = 'type' and due.id = final_blow_ship_type_id
"""  # noqa: S608 - words of our own


@dataclass(frozen=True, slots=True)
class CountedKillmail:
    """A stored killmail with everything that it is counted for and found by."""

    row: KillmailRow
    named: Named

    def take_away(self, rollup: Rollup) -> None:
        """Have the rollup take the killmail away."""
        self._add(rollup, self.named, self.row.total_value_cents, -1)

    def add_revalued(self, rollup: Rollup, value_cents: int, labels: Iterable[str]) -> None:
        """Have the rollup count the killmail with another value and other labels."""
        marks = self.named.marks.difference(marks_of_labels(self.row.labels)).union(marks_of_labels(labels))
        self._add(rollup, replace(self.named, marks=marks), value_cents, 1)

    def _add(self, rollup: Rollup, named: Named, value_cents: int, times: int) -> None:
        row = self.row
        rollup.add(
            row.killmail_id,
            row.killmail_time,
            row.solar_system_id,
            named,
            points=row.points,
            value_cents=value_cents,
            is_solo=row.is_solo,
            is_npc=row.is_npc,
            times=times,
        )


async def list_counted(connection: Connection, mail_ids: Collection[int]) -> list[CountedKillmail]:
    """Return the stored ones of these killmails with what they are counted for. The caller holds their days."""
    found = []
    attackers, items = await list_attackers(connection, mail_ids), await list_items(connection, mail_ids)
    groups = await counted_groups(connection, mail_ids)
    for row in await get_killmails(connection, mail_ids):
        mail = mail_of(row, attackers[row.killmail_id], ())
        named = named_in(mail, row.constellation_id, row.region_id, {})
        if row.ship_group_id is not None:
            named.victims.add(code_of(EntityKind.SHIP_GROUP, row.ship_group_id))
        for group_id, is_final_blow in groups[row.killmail_id].items():
            code = code_of(EntityKind.SHIP_GROUP, group_id)
            named.killers.add(code)
            if is_final_blow:
                named.final_blow.add(code)
        item_type_ids = [item.type_id for item in items[row.killmail_id]]
        add_marks(named, row.labels, item_type_ids, war_id=row.war_id, location_id=row.location_id)
        found.append(CountedKillmail(row, named))
    return found


async def counted_groups(connection: Connection, mail_ids: Collection[int]) -> Mapping[int, dict[int, bool]]:
    """Return the groups of hulls that each of these stored killmails is counted for on the killing side.

    Each with whether it struck the final blow.
    """
    rows = await connection.fetch(_GROUPS, list(mail_ids))
    keys = {(code_of(EntityKind.SHIP_GROUP, row["group_id"]), int(Side.KILLER)) for row in rows}
    postings = DaySets()
    await read_days(connection, sorted(keys), {row["day"] for row in rows}, postings)
    found: defaultdict[int, dict[int, bool]] = defaultdict(dict)
    for row in rows:
        key = code_of(EntityKind.SHIP_GROUP, row["group_id"]), int(Side.KILLER)
        if row["killmail_id"] in postings.of(row["day"], key):
            found[row["killmail_id"]][row["group_id"]] = row["is_final_blow"]
    return found
