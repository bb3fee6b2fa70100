"""What a stored killmail counts for in the rollups, read back from its rows: to correct it or to take it away.

As it was counted, not as it would be today: the groups of the killers' hulls are those that `killed_by` has for it,
though a hull may be in another group by now. The victim's group and the places are in its own row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.killmail.stored.named import KIND_BITS, code_of, named_in
from killreport.killmail.stored.queries import get_killmails, list_attackers
from killreport.killmail.stored.remade import mail_of
from killreport.killmail.stored.rollup import Rollup

# Of rows that an older release stored it is the group of today; of a hull that changed since, the one it had.
FINAL_BLOW_GROUP = """coalesce(final_blow_ship_group_id,
    case when due.id is null then final.group_id else due.former_group_ids[1] end, 0)"""
# Only groups that a hull of the mail is in, or was in when the mail was counted, can be among its killers.
_GROUPS = f"""
    with mail as (
        select killmail_id, killmail_time, final_blow_ship_type_id, final_blow_ship_group_id
        from killmail where killmail_id = any($1)
    ), hull as (
        select distinct killmail_id, ship_type_id from attacker where killmail_id = any($1) and ship_type_id is not null
    ), known as (
        select killmail_id, group_id from hull join eve_type on type_id = ship_type_id
        union
        select killmail_id, unnest(former_group_ids) from hull join derive_due on kind = 'type' and id = ship_type_id
    )
    select killmail_id, known.group_id, known.group_id = {FINAL_BLOW_GROUP} as is_final_blow
    from mail join known using (killmail_id)
    join killed_by side using (killmail_time, killmail_id)
    left join eve_type final on final.type_id = final_blow_ship_type_id
    left join derive_due due on due.kind = 'type' and due.id = final_blow_ship_type_id
    where side.code = known.group_id::bigint << {KIND_BITS} | {EntityKind.SHIP_GROUP:d}
"""  # noqa: S608 - numbers and words of our own


async def count_again(
    connection: Connection, mail_ids: Collection[int], differences: Mapping[int, int] | None = None
) -> Rollup:
    """Return what is to be added to the rollups when these stored killmails are removed: the negative of their part.

    differences: of their values, in cents, when nothing but these changes.
    """
    rollup = Rollup()
    attackers = await list_attackers(connection, mail_ids)
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
        rollup.add(
            row.killmail_time,
            row.solar_system_id,
            named,
            points=row.points,
            value_cents=-row.total_value_cents if differences is None else differences[row.killmail_id],
            is_solo=row.is_solo,
            is_npc=row.is_npc,
            times=-1 if differences is None else 0,
        )
    return rollup


async def counted_groups(connection: Connection, mail_ids: Collection[int]) -> Mapping[int, dict[int, bool]]:
    """Return the groups of hulls that each of these stored killmails is counted for on the killing side.

    Each with whether it struck the final blow.
    """
    found: defaultdict[int, dict[int, bool]] = defaultdict(dict)
    for row in await connection.fetch(_GROUPS, list(mail_ids)):
        found[row["killmail_id"]][row["group_id"]] = row["is_final_blow"]
    return found
