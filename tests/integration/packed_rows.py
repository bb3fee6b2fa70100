"""Changes to the attackers and items of stored killmails, as a test wants them to have been stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from killreport.db.database import Connection
from killreport.killmail.mail.model import Attacker
from killreport.killmail.stored.packed import pack_attackers, pack_items
from killreport.killmail.stored.queries import AttackerRow, ItemRow, list_attackers, list_items
from killreport.killmail.stored.remade import flat_items

Values = Mapping[str, Any]

# What an attacker of a mail is called as in its row.
_NAMES = [name for name in Attacker.__struct_fields__ if name != "final_blow"]


async def change_attackers(connection: Connection, change: Callable[[AttackerRow], Values]) -> None:
    """Store all attackers anew with the values that `change` gives for each."""
    for killmail_id, rows in (await list_attackers(connection, await _all_ids(connection))).items():
        values = [{name: getattr(row, name) for name in _NAMES} | dict(change(row)) for row in rows]
        attackers = [Attacker(final_blow=row.is_final_blow, **one) for row, one in zip(rows, values, strict=True)]
        await _store(connection, "attackers", killmail_id, pack_attackers(attackers))


async def change_prices(connection: Connection, change: Callable[[ItemRow], tuple[int, int] | None]) -> None:
    """Store all items anew with the price of one in cents and its rule that `change` gives; None leaves them."""
    for killmail_id, rows in (await list_items(connection, await _all_ids(connection))).items():
        prices = [change(row) or (row.unit_price_cents, row.price_rule) for row in rows]
        await _store(connection, "items", killmail_id, pack_items(flat_items(rows), prices))


async def _all_ids(connection: Connection) -> list[int]:
    return [row[0] for row in await connection.fetch("select killmail_id from killmail")]


async def _store(connection: Connection, column: str, killmail_id: int, packed: bytes) -> None:
    await connection.execute(f"update killmail set {column} = $2 where killmail_id = $1", killmail_id, packed)
