"""Names in the database: beginnings through an index of their own, parts and misspellings by trigrams.

Bounds are taken in the order of an index, before anything is ranked: what a single letter finds is a hundred names of
tens of thousands.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import asyncpg

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.search.model import Hit, Match, SearchKind

MAX_CANDIDATES = 100
# The longest that similar names are looked for.
ALIKE_MILLISECONDS = 50
MIN_TRIGRAM = 3
# Everything that is searched in memory and counted in `total_stat`.
_COUNTED = {
    SearchKind.FACTION: EntityKind.FACTION,
    SearchKind.SHIP_TYPE: EntityKind.SHIP_TYPE,
    SearchKind.TYPE: EntityKind.SHIP_TYPE,
    SearchKind.GROUP: EntityKind.SHIP_GROUP,
    SearchKind.SOLAR_SYSTEM: EntityKind.SOLAR_SYSTEM,
    SearchKind.CONSTELLATION: EntityKind.CONSTELLATION,
    SearchKind.REGION: EntityKind.REGION,
}
_TABLES = (
    (SearchKind.CHARACTER, EntityKind.CHARACTER, "null"),
    (SearchKind.CORPORATION, EntityKind.CORPORATION, "ticker"),
    (SearchKind.ALLIANCE, EntityKind.ALLIANCE, "ticker"),
)


def _begins(column: str) -> str:
    # Operators of text_pattern_ops: no wildcard to escape, and any plan can use the index.
    return f"lower({column}) ~>=~ lower($1::text) and lower({column}) ~<~ (lower($1::text) || chr(1114111))"


def _branches(with_trigrams: bool) -> str:
    branches = []
    for kind, entity_kind, ticker in _TABLES:
        found = f"select '{kind.value}' as kind, {int(entity_kind)} as entity_kind, {kind.value}_id as id, name,"
        found += f" {ticker} as ticker"
        if with_trigrams:
            # A part of the name goes before a similar name; the limit is on what the index found.
            branches.append(
                f"""select * from ({found}, case when strpos(lower(name), lower($1::text)) > 0
                        then {int(Match.PART)} else {int(Match.SIMILAR)} end as match,
                        similarity(name, $1::text) as alike
                    from {kind.value} where name ilike $2::text or name % $1::text
                    order by match, alike desc limit {MAX_CANDIDATES}) x"""  # noqa: S608 - names of ours
            )
            continue
        match = f"case when lower(name) = lower($1::text) then {int(Match.EXACT)} else {int(Match.PREFIX)} end"
        branches.append(
            f"""select * from ({found}, {match} as match, 0::real as alike from {kind.value}
                where {_begins("name")} order by lower(name) using ~<~ limit {MAX_CANDIDATES}) x"""  # noqa: S608
        )
        if ticker != "null":
            is_ticker = f"lower(ticker) = lower($1::text) then {int(Match.TICKER)}"
            match = f"case when {is_ticker} else {int(Match.TICKER_PREFIX)} end"
            branches.append(
                f"""select * from ({found}, {match} as match, 0::real as alike from {kind.value}
                    where {_begins("ticker")} order by lower(ticker) using ~<~ limit {MAX_CANDIDATES}) x"""  # noqa: S608
            )
    # A subquery for each: the planner takes the candidates of a beginning for more than the limits let through, and
    # would join them with a scan of everybody's totals.
    return f"""select kind, id, name, ticker, match, alike,
            coalesce((select kills from total_stat as total
                      where total.entity_kind = candidate.entity_kind and total.entity_id = id), 0) as kills
        from ({" union all ".join(branches)}) candidate where name is not null"""  # noqa: S608


_BEGINNINGS = _branches(with_trigrams=False)
_TRIGRAMS = _branches(with_trigrams=True)


async def has_trigrams(connection: Connection) -> bool:
    """Tell whether the database has the indexes for parts and misspellings."""
    return await connection.fetchval("select to_regclass('character_name_trigrams') is not null") is True


async def find_beginnings(connection: Connection, question: str) -> list[Hit]:
    """Return characters, corporations and alliances whose name or ticker begins so, unordered."""
    return [_hit(row) for row in await connection.fetch(_BEGINNINGS, question)]


async def find_alike(connection: Connection, question: str) -> list[Hit]:
    """Return those with it in their name or with a similar name, unordered; none for less than a trigram.

    None either where so many names have its trigrams, as those of `corp`, that comparing them takes too long: the
    better matches are found without. Needs `has_trigrams`. connection: outside a transaction.
    """
    if len(question) < MIN_TRIGRAM:
        return []
    escaped = question.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    with suppress(asyncpg.QueryCanceledError):
        return await _find_alike(connection, question, escaped)
    return []


async def _find_alike(connection: Connection, question: str, escaped: str) -> list[Hit]:
    async with connection.transaction(readonly=True):
        # The planner takes comparing a name's trigrams for as cheap as comparing numbers, and would compare them all:
        # at 20,000 names half a second instead of a millisecond.
        await connection.execute(f"set local enable_seqscan = off; set local statement_timeout = {ALIKE_MILLISECONDS}")
        return [_hit(row) for row in await connection.fetch(_TRIGRAMS, question, f"%{escaped}%")]


async def add_kills(connection: Connection, hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits of the static data with their kills, in one statement."""
    if not hits:
        return []
    rows = await connection.fetch(
        """select entity_kind, entity_id, kills
           from unnest($1::smallint[], $2::bigint[]) as wanted(entity_kind, entity_id)
           join total_stat using (entity_kind, entity_id)""",
        [int(_COUNTED[hit.kind]) for hit in hits],
        [hit.id for hit in hits],
    )
    kills = {(row[0], row[1]): row[2] for row in rows}
    return [
        Hit(hit.kind, hit.id, hit.name, None, hit.match, kills=kills.get((int(_COUNTED[hit.kind]), hit.id), 0))
        for hit in hits
    ]


def _hit(row: Sequence[object]) -> Hit:
    kind, id_, name, ticker, match, alike, kills = tuple(row)
    return Hit(SearchKind(kind), id_, name, ticker, Match(match), alike, kills)  # type: ignore[arg-type]
