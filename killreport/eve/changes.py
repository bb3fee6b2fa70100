"""What of the static data became other than before: numbered, so that every process notices and can catch up.

Whoever changes it says so in the same transaction (`note_change`). Whoever stores killmails holds the static data
still while it commits (`hold_static`): a killmail is either worked out with what is stored then, or is there to be
found by who derives the killmails of what changed again (`derive_due`, `killreport.killmail.writing.rederive_due`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from killreport.db.database import Connection

# Held by who changes the static data, and shared by who stores what follows from it; spells "static" in ASCII.
STATIC_LOCK = 0x737461746963
# Told at the commit of a change, with its version.
STATIC_CHANNEL = "killreport_static"

_DUE = """
insert into derive_due as due (kind, id, version, former_group_ids)
select $1, changed.id, $2, array_remove(array[changed.former], null)
  from unnest($3::bigint[], $4::bigint[]) as changed (id, former)
    on conflict (kind, id) do update
   set version = excluded.version, phase = 0, at = default, after_id = 0,
       former_group_ids = array(select distinct unnest(due.former_group_ids || excluded.former_group_ids))
"""


async def static_version(connection: Connection) -> int:
    """Return the number of the last change; 0 is what was loaded first."""
    found: int = await connection.fetchval("select coalesce(max(version), 0) from static_change")
    return found


async def hold_static(connection: Connection) -> int:
    """Return the number of the last change and let none happen before the transaction's end."""
    found: int = await connection.fetchval("select held_static_version()")
    return found


async def list_changed_types(connection: Connection, version: int) -> list[int] | None:
    """Return the types that changed after this version, None where anything may have."""
    rows = await connection.fetch("select type_id from static_change where version > $1", version)
    type_ids = [row[0] for row in rows]
    return None if None in type_ids else type_ids


async def lock_static(connection: Connection) -> None:
    """Wait for those who store killmails, and keep them waiting until the transaction's end."""
    await connection.execute("select pg_advisory_xact_lock($1)", STATIC_LOCK)


async def note_new_type(connection: Connection, type_id: int) -> None:
    """Say that this type is known now; the caller holds `lock_static`."""
    version = await static_version(connection) + 1
    await connection.execute("insert into static_change (version, type_id) values ($1, $2)", version, type_id)
    await _note_due(connection, "type", {type_id: None}, version)


async def note_new_release(connection: Connection, types: Mapping[int, int | None], systems: Collection[int]) -> None:
    """Say that everything may be other. types: those that killmails are derived from otherwise, with their old group.

    Takes the lock itself, and should be the last thing before the commit.
    """
    await lock_static(connection)
    version = await static_version(connection) + 1
    await connection.execute("delete from static_change")
    await connection.execute("insert into static_change (version) values ($1)", version)
    await _note_due(connection, "type", types, version)
    await _note_due(connection, "system", dict.fromkeys(systems), version)


async def _note_due(connection: Connection, kind: str, changed: Mapping[int, int | None], version: int) -> None:
    ids = sorted(changed)
    await connection.execute(_DUE, kind, version, ids, [changed[one] for one in ids])
    await connection.execute("select pg_notify($1, $2)", STATIC_CHANNEL, str(version))
