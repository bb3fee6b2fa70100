"""One row an entity and UTC day, so that changes over time can be shown. One statement each, whatever the number."""

from __future__ import annotations

from datetime import date

from killreport.db.database import Connection

# Members of an alliance are those of its corporations as stored; one that no stored corporation names has none.
_ALLIANCES = """
insert into alliance_snapshot (alliance_id, day, name, ticker, executor_corporation_id, member_count, corporation_count)
select known.alliance_id, $1, known.name, coalesce(known.ticker, ''), known.executor_corporation_id,
       coalesce(counted.members, 0), coalesce(counted.corporations, 0)
  from alliance known
  left join (
    select alliance_id, sum(member_count) as members, count(*) as corporations
      from corporation where alliance_id is not null and gone_at is null group by alliance_id
  ) counted using (alliance_id)
 where known.name is not null and known.gone_at is null
 order by known.alliance_id
on conflict (alliance_id, day) do update
   set name = excluded.name, ticker = excluded.ticker, executor_corporation_id = excluded.executor_corporation_id,
       member_count = excluded.member_count, corporation_count = excluded.corporation_count
"""
_CORPORATIONS = """
insert into corporation_snapshot (corporation_id, day, name, ticker, ceo_id, alliance_id, member_count)
select corporation_id, $1, name, coalesce(ticker, ''), ceo_id, alliance_id, coalesce(member_count, 0)
  from corporation where name is not null and gone_at is null
 order by corporation_id
on conflict (corporation_id, day) do update
   set name = excluded.name, ticker = excluded.ticker, ceo_id = excluded.ceo_id, alliance_id = excluded.alliance_id,
       member_count = excluded.member_count
"""


async def snapshot_alliances(connection: Connection, day: date) -> int:
    """Keep every alliance as it is now, as that day's; done again, the later state stays. Returns how many."""
    return _count(await connection.execute(_ALLIANCES, day))


async def snapshot_corporations(connection: Connection, day: date) -> int:
    """Keep every corporation as it is now, as that day's; done again, the later state stays. Returns how many."""
    return _count(await connection.execute(_CORPORATIONS, day))


def _count(status: str) -> int:
    return int(status.rsplit(" ", 1)[-1])
