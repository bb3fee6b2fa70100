"""Prove that the postings have the killmails and sums that the facts say, day by day, and rebuild those that have not.

SQL over the stored rows says what belongs where; of the writer's code only how a set is packed is shared.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyroaring import BitMap64

from killreport.clock import span_of_day
from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.killmail.mail.label_numbers import NUMBERS
from killreport.killmail.postings.changes import SUMS
from killreport.killmail.postings.codes import KIND_MASK, Side
from killreport.killmail.postings.packing import pack_ids, unpack_ids
from killreport.killmail.postings.sets import Key

# Of the killmails of a day, every posting that each belongs to. The groups of killers' hulls are left out: which they
# were is written down in the postings alone. Materialized: else each column is unpacked anew wherever it is named.
_POSTINGS = """
    with mail as materialized (
        select * from killmail where killmail_time >= $1 and killmail_time < $2
    ), party as materialized (
        select killmail_id, a.* from mail cross join lateral unpack_attackers(attackers) a
    ), killer as (
        select kind, entity_id, killmail_id, bool_or(is_final_blow) as has_final_blow
        from party a
        cross join lateral (values
            (1, a.character_id), (2, a.corporation_id), (3, a.alliance_id), (4, a.faction_id), (5, a.ship_type_id),
            (15, a.weapon_type_id)) as side(kind, entity_id)
        where entity_id is not null group by kind, entity_id, killmail_id
    ), found as (
        select kind, entity_id, 0 as side, killmail_id, kind <> 15 and has_final_blow as has_final_blow from killer
        union all
        select kind, entity_id, side, killmail_id, false
        from mail cross join lateral (values
            (1, victim_character_id, 1), (2, victim_corporation_id, 1), (3, victim_alliance_id, 1),
            (4, victim_faction_id, 1), (5, ship_type_id, 1), (6, ship_group_id, 1), (7, solar_system_id, 0),
            (8, constellation_id, 0), (9, region_id, 0), (11, location_id, 0), (12, war_id, 0),
            (0, 0, 0)) as part(kind, entity_id, side)
        where entity_id is not null
        union all
        select 14, type_id, 0, killmail_id, false from mail cross join lateral unpack_items(items) group by 2, 4
        union all
        select case when label like 'cat:%' then 10 else 13 end,
               case when label like 'cat:%' then substr(label, 5)::bigint else ($3::jsonb ->> label)::bigint end,
               0, killmail_id, false
        from mail cross join unnest(label_names(labels, ship_category_id)) as label
    )
    select entity_id << 4 | kind as code, side, array_agg(killmail_id) as ids,
           count(*)::bigint as killmails, sum(total_value_cents)::bigint as isk_cents, sum(points)::bigint as points,
           sum(is_solo::int)::bigint as solo, sum(has_final_blow::int)::bigint as final_blows,
           sum(is_npc::int)::bigint as npc, sum(is_npc::int * total_value_cents)::bigint as npc_isk_cents
    from found join mail using (killmail_id) group by 1, 2
"""
_STORED = (
    f"select code, side, killmail_ids, {', '.join(f'{name}::bigint' for name in SUMS)} from posting where day = $1"  # noqa: S608 - our own
)
_DAYS = "select day from posting union select (killmail_time at time zone 'UTC')::date from killmail order by 1"
# What the group of killers' hulls counts for: the ids are as they are, the sums are those of the ids.
_SUMS_OF = """
    select count(*)::bigint, coalesce(sum(total_value_cents), 0)::bigint, coalesce(sum(points), 0)::bigint,
           coalesce(sum(is_solo::int), 0)::bigint, coalesce(sum(is_npc::int), 0)::bigint,
           coalesce(sum(is_npc::int * total_value_cents), 0)::bigint
    from killmail where killmail_id = any($1::bigint[])
"""
MAX_TOLD = 10
_FINAL_BLOWS = SUMS.index("final_blows")


@dataclass(frozen=True, slots=True)
class Posting:
    """What a posting has: its ids, and its sums as SUMS names them."""

    ids: BitMap64
    sums: tuple[int, ...]

    @property
    def told(self) -> tuple[object, ...]:
        """Return the sums, and the ids as text: the first of many."""
        ids = list(self.ids[:MAX_TOLD])
        return (*self.sums, f"{ids}{'' if len(self.ids) <= MAX_TOLD else ' and others'}")


@dataclass(frozen=True, slots=True)
class RecountedPosting:
    """A posting as it is stored and as the facts say; None: there is none."""

    key: Key
    day: date
    stored: Posting | None
    counted: Posting | None

    @property
    def is_other(self) -> bool:
        """Tell whether the two differ."""
        return self.stored != self.counted

    @property
    def row(self) -> tuple[object, ...]:
        """Return the key with the kind and id of the code, as statistics name them."""
        code, side = self.key
        return (code & KIND_MASK, code >> 4, side, self.day)


async def recount_postings(connection: Connection) -> AsyncIterator[RecountedPosting]:
    """Yield every posting that is stored or should be. Reads a day at a time."""
    for (day,) in await connection.fetch(_DAYS):
        stored = {
            (code, side): Posting(unpack_ids(packed), tuple(sums))
            for code, side, packed, *sums in await connection.fetch(_STORED, day)
        }
        counted = await _count_day(connection, day, stored)
        for key in sorted(stored.keys() | counted.keys()):
            yield RecountedPosting(key, day, stored.get(key), counted.get(key))


async def _count_day(connection: Connection, day: date, stored: Mapping[Key, Posting]) -> dict[Key, Posting]:
    counted = {
        (code, side): Posting(BitMap64(ids), tuple(sums))
        for code, side, ids, *sums in await connection.fetch(_POSTINGS, *span_of_day(day), json.dumps(NUMBERS))
    }
    for key, posting in stored.items():
        if key[0] & KIND_MASK == EntityKind.SHIP_GROUP and key[1] == Side.KILLER:
            counted[key] = await _count_group(connection, posting)
    return counted


async def _count_group(connection: Connection, posting: Posting) -> Posting:
    killmails, isk, points, solo, npc, npc_isk = await connection.fetchrow(_SUMS_OF, list(posting.ids))
    sums: Sequence[int] = (killmails, isk, points, solo, posting.sums[_FINAL_BLOWS], npc, npc_isk)
    return Posting(posting.ids, tuple(sums))


async def rebuild_postings(connection: Connection) -> None:
    """Write the postings that differ as the facts say, in the caller's transaction, which keeps writers out."""
    async for posting in recount_postings(connection):
        if not posting.is_other:
            continue
        code, side = posting.key
        await connection.execute(
            "delete from posting where code = $1 and side = $2 and day = $3", code, side, posting.day
        )
        if posting.counted is not None:
            # What no killmail is above is not known here: the sums are a bound as well.
            names = ", ".join(SUMS)
            values = ", ".join(f"${place}::bigint" for place in range(5, 5 + len(SUMS)))
            counted = posting.counted
            await connection.execute(
                f"""insert into posting (code, side, day, killmail_ids, {names}, max_isk_cents, max_points)
                    values ($1, $2, $3, $4, {values}, $6, $7::bigint::integer)""",  # noqa: S608 - names and numbers of our own
                code,
                side,
                posting.day,
                pack_ids(counted.ids),
                *counted.sums,
            )
