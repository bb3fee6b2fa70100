"""Made-up killmails by the million, for the lists: some years, a few busy alliances, many quiet pilots.

They go through the product's own `derive` and postings, but past the writer: a day is worked out in memory, its rows
and postings are copied, and the index of the postings is made at the end. Statistics, names and events are left out.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import asyncpg

from bench.universe import seed_universe
from killreport.killmail.mail.model import Attacker, Item, Killmail, Victim
from killreport.killmail.postings.changes import PostingChanges
from killreport.killmail.postings.codes import Side
from killreport.killmail.stored.partitions import SPAN, Partitions
from killreport.killmail.stored.rollup import counts_of
from killreport.killmail.writing.derive import KILLMAIL_COLUMNS, Derived, derive
from killreport.market.price import Price, PriceBook, PriceRule

DAYS_A_YEAR = 365
LAST_DAY = date(2026, 10, 31)
FIRST_ID = 100_000_000
PROCESSES = 2
SHIP_CATEGORY, MODULE_CATEGORY = 6, 7
COMMON_ITEM, RARE_ITEM = 34, 40  # Tritanium, of which everybody carries as much as the loss is to be worth; Megacyte
RARE_EVERY = 10_000
QUIET_PILOT, QUIET_KILLS = 2_110_000_000, 40
ALLIANCES = 2_000
NEVER_MET = (1, 2)  # the second busiest alliance never kills anybody of the third
KILLS_OF_GANG = 12  # a day
_DAY_SECONDS = 86_400
_MEDIAN_ISK, _SPREAD = 20e6, 1.8  # log-normal: a loss in seventy is worth a billion
_MAX_ISK = 1e12
_DEAR_HULL_CENTS = 10**9  # some hulls have a fixed price, and would make every third loss dear


def alliance_id(rank: int) -> int:
    """Return the alliance that is the busiest but `rank`."""
    return 99_000_000 + rank


@dataclass(frozen=True, slots=True)
class Plan:
    """How many killmails in how many days until LAST_DAY."""

    killmails: int
    days: int

    def first_of(self, day: int) -> int:
        """Return the number of the first killmail of a day, counted from 0."""
        return self.killmails * day // self.days


class _Drawn:
    """Numbers from 0, the small ones far oftener: number n as often as 1 / (n + 1) ** exponent."""

    def __init__(self, source: random.Random, count: int, exponent: float) -> None:
        self._random = source.random
        self._weights = list(itertools.accumulate((place + 1) ** -exponent for place in range(count)))

    def __call__(self) -> int:
        return bisect.bisect(self._weights, self._random() * self._weights[-1])


@dataclass(frozen=True, slots=True)
class _Gang:
    """Who hunts together on a day, and where."""

    alliance: int
    solar_system_id: int
    attackers: tuple[Attacker, ...]


class Maker:
    """Makes the killmails of a day, always the same ones for the same plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._source = source = random.Random(17)
        universe = seed_universe()
        self._systems = sorted(universe.systems)
        source.shuffle(self._systems)
        prices, published = _prices(), [one for one in universe.types.values() if one.is_published]
        self._hulls = sorted(
            one.type_id
            for one in published
            if one.category_id == SHIP_CATEGORY and prices.price(one.type_id, LAST_DAY).cents < _DEAR_HULL_CENTS
        )
        source.shuffle(self._hulls)
        self._modules = sorted(one.type_id for one in published if one.category_id == MODULE_CATEGORY)
        source.shuffle(self._modules)
        self._system = _Drawn(source, len(self._systems), 0.9)
        self._hull = _Drawn(source, len(self._hulls), 1.0)
        self._module = _Drawn(source, len(self._modules), 1.1)
        self._alliance = _Drawn(source, ALLIANCES, 0.9)

    def of_day(self, day: int) -> Iterator[Killmail]:
        """Yield the killmails of the plan's day number `day`, the oldest first."""
        self._source.seed(day)
        first, end = self._plan.first_of(day), self._plan.first_of(day + 1)
        midnight = datetime.combine(LAST_DAY - timedelta(self._plan.days - 1 - day), datetime.min.time(), UTC)
        seconds = sorted(self._source.choices(range(_DAY_SECONDS), k=end - first))
        gangs = [self._gang() for _ in range(max(3, (end - first) // KILLS_OF_GANG))]
        for number, second, gang in zip(
            range(first, end), seconds, self._source.choices(gangs, k=end - first), strict=True
        ):
            yield self._mail(number, midnight + timedelta(seconds=second), gang)

    def _gang(self) -> _Gang:
        alliance = self._alliance()
        crowd = min(200, int(self._source.paretovariate(0.9)))
        attackers = tuple(self._attacker(alliance, is_last=place == 0) for place in range(crowd))
        return _Gang(alliance, self._systems[self._system()], attackers)

    def _mail(self, number: int, at: datetime, gang: _Gang) -> Killmail:
        source, attackers = self._source, gang.attackers
        victims = self._alliance()
        while (gang.alliance, victims) == NEVER_MET:
            victims = self._alliance()
        if number % max(1, self._plan.killmails // QUIET_KILLS) == 0:
            attackers = (*attackers, Attacker(character_id=QUIET_PILOT, corporation_id=1_000_006, damage_done=1))
        who, corporation = self._pilot(victims)
        isk = min(_MAX_ISK, source.lognormvariate(0, _SPREAD) * _MEDIAN_ISK)
        items = [Item(COMMON_ITEM, 5, quantity_destroyed=max(1, int(isk)))]
        items += [Item(self._modules[self._module()], 11 + slot, quantity_destroyed=1) for slot in range(5)]
        if number % RARE_EVERY == RARE_EVERY // 2:
            items.append(Item(RARE_ITEM, 5, quantity_dropped=1))
        victim = Victim(
            self._hulls[self._hull()],
            damage_taken=1_000 * len(attackers),
            character_id=who,
            corporation_id=corporation,
            alliance_id=alliance_id(victims),
            items=tuple(items),
        )
        return Killmail(FIRST_ID + number, at, gang.solar_system_id, victim, attackers)

    def _attacker(self, alliance: int, *, is_last: bool) -> Attacker:
        who, corporation = self._pilot(alliance)
        return Attacker(
            1_000,
            is_last,
            0.5,
            character_id=who,
            corporation_id=corporation,
            alliance_id=alliance_id(alliance),
            ship_type_id=self._hulls[self._hull()],
            weapon_type_id=self._modules[self._module()],
        )

    def _pilot(self, alliance: int) -> tuple[int, int]:
        """Return a pilot of the alliance, a few of them oftener than the others, and the corporation."""
        members = 20_000 // (alliance + 1) + 20
        place = int(self._source.random() ** 2 * members)
        return 90_000_000 + 30_000 * alliance + place, 98_000_000 + 500 * alliance + place % (members // 50 + 1)


def _prices() -> PriceBook:
    """Return prices by which a loss is worth what Tritanium it carries, so that worths are spread as wanted."""
    universe = seed_universe()
    cheap, isk = (Price(cents, PriceRule.REFERENCE_AVERAGE) for cents in (1, 100))
    return PriceBook(universe, {**dict.fromkeys(universe.types, cheap), COMMON_ITEM: isk})


async def fill(url: str, plan: Plan) -> None:
    """Fill the migrated database, whose killmails and postings are empty."""
    connection = await asyncpg.connect(url)
    try:
        indexes = [row[0] for row in await connection.fetch(_INDEXES)]
        await connection.execute("alter table posting drop constraint posting_pkey; drop index posting_day")
        await Partitions().make(connection, range(FIRST_ID, FIRST_ID + plan.killmails, SPAN))
        halves = [
            range(number * plan.days // PROCESSES, (number + 1) * plan.days // PROCESSES) for number in range(PROCESSES)
        ]
        loop = asyncio.get_running_loop()
        with ProcessPoolExecutor(PROCESSES) as pool:
            await asyncio.gather(*(loop.run_in_executor(pool, _store, url, plan, half) for half in halves))
        await connection.execute("set maintenance_work_mem = '512MB'")
        for statement in indexes:
            await connection.execute(statement, timeout=3_600)
        await connection.execute("vacuum (analyze) killmail, posting", timeout=3_600)
    finally:
        await connection.close()


_INDEXES = """
    select case when contype = 'p'
                then format('alter table posting add constraint %s %s', conname, pg_get_constraintdef(c.oid))
                else pg_get_indexdef(indexrelid) end
    from pg_index left join pg_constraint c on c.conindid = indexrelid
    where indrelid = 'posting'::regclass
"""


def _store(url: str, plan: Plan, days: Sequence[int]) -> None:
    asyncio.run(_store_days(url, plan, days))


async def _store_days(url: str, plan: Plan, days: Sequence[int]) -> None:
    universe, prices, maker = seed_universe(), _prices(), Maker(plan)
    connection = await asyncpg.connect(url, server_settings={"synchronous_commit": "off"})
    try:
        # Stands before the real table, so that what a day adds finds nothing to read.
        await connection.execute("create temporary table posting (like public.posting)")
        for day in days:
            derived = [derive(mail, universe, prices, source="bench") for mail in maker.of_day(day)]
            await _store_day(connection, LAST_DAY - timedelta(plan.days - 1 - day), derived)
    finally:
        await connection.close()


async def _store_day(connection: asyncpg.Connection, day: date, derived: Sequence[Derived]) -> None:
    changes = PostingChanges()
    for one in derived:
        counts = counts_of(one.points, one.total_value_cents, is_solo=one.is_solo, is_npc=one.is_npc)
        named = one.named
        killer, victim = int(Side.KILLER), int(Side.VICTIM)
        codes = itertools.chain(named.killers, named.places, named.marks)
        changes.add(day, one.killmail_id, ((code, killer) for code in codes), counts)
        changes.add(day, one.killmail_id, ((code, victim) for code in named.victims), counts)
        changes.add_final_blows(day, ((code, killer) for code in named.final_blow), 1)
    async with connection.transaction():
        await connection.copy_records_to_table(
            "killmail", records=[one.killmail for one in derived], columns=KILLMAIL_COLUMNS
        )
        await changes.save(connection)
        await connection.execute("insert into public.posting select * from posting; truncate posting")
