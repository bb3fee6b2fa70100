"""A person's wish for news of an entity: whether it is new enough, asked for already, or to be asked for now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.entity.store import TABLES
from killreport.errors import NotFound

_TYPE = """select refreshed_at from eve_type left join type_detail using (type_id) where type_id = $1"""
_OTHER = """select refreshed_at from {table} where {table}_id = $1"""


class RefreshState(StrEnum):
    """What is to be done about a wish."""

    QUEUED = "QUEUED"
    WAITING = "WAITING"
    FRESH = "FRESH"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done, and when the entity was last refreshed; None: never."""

    state: RefreshState
    refreshed_at: datetime | None


async def begin_refresh(connection: Connection, kind: EntityKind, entity_id: int, *, fresh_for: timedelta) -> Wish:
    """Return what is to be done about the wish; for QUEUED, the ledger's row is locked until the transaction ends.

    The caller then publishes the message and marks the row (`ledger.mark_queued`) in the same transaction; a wish that
    comes meanwhile waits for it, and finds WAITING. Only what is stored or on the ledger can be asked for, lest anybody
    makes this installation ask for ids that do not exist. Raises NotFound for anything else.
    """
    statement = _TYPE if kind is EntityKind.SHIP_TYPE else _OTHER.format(table=TABLES[kind])
    known = await connection.fetchrow(statement, entity_id)
    if known is None:
        on_ledger = await connection.fetchval(
            "select 1 from refresh_ledger where entity_kind = $1 and entity_id = $2", int(kind), entity_id
        )
        if on_ledger is None:
            raise NotFound("Nothing with this id was ever seen here, so there is nothing to refresh.")
    refreshed_at: datetime | None = None if known is None else known["refreshed_at"]
    is_fresh = refreshed_at is not None and await connection.fetchval(
        "select $1::timestamptz > now() - $2::interval", refreshed_at, fresh_for
    )
    if is_fresh:
        return Wish(RefreshState.FRESH, refreshed_at)
    await connection.execute(
        "insert into refresh_ledger (entity_kind, entity_id) values ($1, $2) on conflict do nothing",
        int(kind),
        entity_id,
    )
    # clock_timestamp: the row may have been queued by somebody whose transaction ended after ours began.
    is_waiting = await connection.fetchval(
        """select coalesce(queued_at > clock_timestamp() - $3::interval, false) from refresh_ledger
           where entity_kind = $1 and entity_id = $2 for update""",
        int(kind),
        entity_id,
        fresh_for,
    )
    return Wish(RefreshState.WAITING if is_waiting else RefreshState.QUEUED, refreshed_at)
