"""What an alliance did and who is in it, in figures that a page reads with it; and how many entities are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.entity.store import TABLES

_COUNT = """
with done as (
    select entity_id as alliance_id, sum(kills) as kills, sum(losses) as losses,
           sum(isk_destroyed_cents) as isk_destroyed_cents, sum(isk_lost_cents) as isk_lost_cents
      from total_stat where entity_kind = $1 group by entity_id
), made_of as (
    select alliance_id, sum(member_count) as members, count(*) as corporations
      from corporation where alliance_id is not null and gone_at is null group by alliance_id
), present as (
    select known.alliance_id, coalesce(done.kills, 0) as kills, coalesce(done.losses, 0) as losses,
           coalesce(done.isk_destroyed_cents, 0) as isk_destroyed_cents,
           coalesce(done.isk_lost_cents, 0) as isk_lost_cents,
           coalesce(made_of.members, 0) as members, coalesce(made_of.corporations, 0) as corporations
      from alliance known left join done using (alliance_id) left join made_of using (alliance_id)
), locked as (
    -- In one order, so that a worker storing alliances and this never wait for each other in a circle.
    select present.*, (known.member_count, known.corporation_count)
                      is distinct from (present.members, present.corporations) as has_other_size
      from present join alliance known using (alliance_id)
     where (known.kills, known.losses, known.isk_destroyed_cents, known.isk_lost_cents, known.member_count,
            known.corporation_count)
           is distinct from (present.kills, present.losses, present.isk_destroyed_cents, present.isk_lost_cents,
                             present.members, present.corporations)
     order by known.alliance_id
       for update of known
)
update alliance known
   set kills = locked.kills, losses = locked.losses, isk_destroyed_cents = locked.isk_destroyed_cents,
       isk_lost_cents = locked.isk_lost_cents, member_count = locked.members,
       corporation_count = locked.corporations, counted_at = now()
  from locked where known.alliance_id = locked.alliance_id
returning known.alliance_id, locked.has_other_size
"""


@dataclass(frozen=True, slots=True)
class Recounted:
    """Alliances with other figures than before: how many, and the ids of those with other members or corporations."""

    count: int
    resized_ids: list[int]


async def update_alliance_counts(connection: Connection) -> Recounted:
    """Count every stored alliance's kills, losses, ISK, members and corporations; return which had changed.

    One statement over the rollups; alliances whose figures are right are not written.
    """
    rows = await connection.fetch(_COUNT, int(EntityKind.ALLIANCE))
    return Recounted(len(rows), [alliance_id for alliance_id, has_other_size in rows if has_other_size])


# So many are counted one by one; of more, the figure that the last analyze left is near enough.
MAX_COUNTED = 10_000
_KNOWN = " union all ".join(
    f"""select {int(kind)}, counted, (select reltuples::bigint from pg_class where oid = '{table}'::regclass)
          from (select count(*) as counted from (select from {table} limit {MAX_COUNTED + 1}) few) one"""  # noqa: S608
    for kind, table in TABLES.items()
)


async def count_known(connection: Connection) -> Mapping[EntityKind, int]:
    """Return how many characters, corporations and alliances are stored: exactly up to MAX_COUNTED, else about."""
    rows = await connection.fetch(_KNOWN)
    return {
        EntityKind(kind): counted if counted <= MAX_COUNTED else max(counted, estimate)
        for kind, counted, estimate in rows
    }
