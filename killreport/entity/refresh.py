"""A person's request to refresh an entity: whether it is fresh, queued already, or to be queued now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from killreport.db.database import Connection
from killreport.db.recent import is_recent
from killreport.entity.kind import EntityKind
from killreport.entity.naming import NEVER
from killreport.entity.store import TABLES
from killreport.errors import NotFound

_FRESH = (
    f"nullif(refreshed_at, {NEVER}) as refreshed_at, coalesce({is_recent('refreshed_at', '$2')}, false) as is_fresh"
)
# Names of our own.
_TYPE = f"select {_FRESH} from eve_type left join type_detail using (type_id) where type_id = $1"  # noqa: S608
_OTHER = f"select {_FRESH} from {{table}} where {{table}}_id = $1"  # noqa: S608
_ON_LEDGER = "select exists (select from refresh_ledger where entity_kind = $1 and entity_id = $2)"
_CLAIM = f"""
insert into refresh_ledger (entity_kind, entity_id, queued_at, tries) values ($1, $2, clock_timestamp(), 1)
on conflict (entity_kind, entity_id) do update set queued_at = clock_timestamp(), tries = refresh_ledger.tries + 1
 where refresh_ledger.queued_at is null or not {is_recent("refresh_ledger.queued_at", "$3")}
returning 1
"""  # noqa: S608


class RefreshState(StrEnum):
    """What is done about a refresh request."""

    QUEUED = "QUEUED"
    WAITING = "WAITING"
    FRESH = "FRESH"


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """What is to be done, and when the entity was last refreshed; None: never."""

    state: RefreshState
    refreshed_at: datetime | None


async def claim_refresh(
    connection: Connection, kind: EntityKind, entity_id: int, *, fresh_for: timedelta
) -> RefreshRequest:
    """Return what is to be done; of several requests at once only one gets QUEUED, and publishes the message.

    The ledger has it as queued by then: a message that was lost on the way is sent again when the ledger's patience
    ends. Only what is stored or on the ledger can be asked for, lest anybody makes this installation ask for ids that
    do not exist. Raises NotFound for anything else.
    """
    statement = _TYPE if kind is EntityKind.SHIP_TYPE else _OTHER.format(table=TABLES[kind])
    known = await connection.fetchrow(statement, entity_id, fresh_for)
    if known is None and not await connection.fetchval(_ON_LEDGER, int(kind), entity_id):
        raise NotFound("This id is unknown here, so there is nothing to refresh.")
    refreshed_at = None if known is None else known["refreshed_at"]
    if known is not None and known["is_fresh"]:
        return RefreshRequest(RefreshState.FRESH, refreshed_at)
    claimed = await connection.fetchval(_CLAIM, int(kind), entity_id, fresh_for)
    return RefreshRequest(RefreshState.QUEUED if claimed else RefreshState.WAITING, refreshed_at)


async def give_back_refresh(connection: Connection, kind: EntityKind, entity_id: int) -> None:
    """Leave a claimed request to whoever hands the ledger over next."""
    await connection.execute(
        "update refresh_ledger set queued_at = null where entity_kind = $1 and entity_id = $2", int(kind), entity_id
    )
