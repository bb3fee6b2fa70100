"""A killmail as ESI gives it, made again from its stored rows, and beside it the block that zKillboard adds.

What is stored is the whole of ESI's document: the order of attackers and items, containers, position, war and moon.
Two things that mean the same are not told apart: `items` that are empty and those that are missing (written empty, as
ESI does), and a quantity of 0 and none (left out, as ESI does).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from killreport.db.database import Connection
from killreport.killmail.stored.queries import AttackerRow, ItemRow, KillmailRow, attacker_rows, item_rows

_ESI = "https://esi.evetech.net"


@dataclass(frozen=True, slots=True)
class FullKillmail:
    """A killmail with everything that is stored of it."""

    row: KillmailRow
    moon_id: int | None
    location_id: int | None
    attackers: Sequence[AttackerRow]
    items: Sequence[ItemRow]


async def load_full_killmails(connection: Connection, rows: Sequence[KillmailRow]) -> list[FullKillmail]:
    """Return the killmails of these rows in their order."""
    if not rows:
        return []
    found = await connection.fetch(
        """select killmail_id, moon_id, location_id, attackers, items from killmail
           where killmail_id = any($1::bigint[])""",
        [row.killmail_id for row in rows],
    )
    parts = {
        mail_id: (moon_id, location_id, attacker_rows(mail_id, attackers), item_rows(mail_id, items))
        for mail_id, moon_id, location_id, attackers, items in found
    }
    return [FullKillmail(row, *parts[row.killmail_id]) for row in rows]


def esi_body(killmail: FullKillmail) -> dict[str, Any]:
    """Return the document of `GET /killmails/{id}/{hash}`, its keys in the order of ESI, which is that of the alphabet.

    Source: the order and the keys of 40,521 real killmails.
    """
    row = killmail.row
    return _known(
        attackers=[_attacker(attacker) for attacker in killmail.attackers],
        killmail_id=row.killmail_id,
        killmail_time=time_text(row.killmail_time),
        moon_id=killmail.moon_id,
        solar_system_id=row.solar_system_id,
        victim=_victim(killmail),
        war_id=row.war_id,
    )


def zkb_block(killmail: FullKillmail) -> dict[str, Any]:
    """Return zKillboard's block with the figures of this board, without the two keys that only R2Z2 has.

    What has no known price adds nothing to a figure; a block that lacks something says so with a key of our own.
    """
    row = killmail.row
    return _known(
        locationID=killmail.location_id,
        hash=row.hash.hex(),
        fittedValue=row.fitted_value_cents / 100,
        droppedValue=row.dropped_value_cents / 100,
        destroyedValue=row.destroyed_value_cents / 100,
        totalValue=row.total_value_cents / 100,
        points=row.points,
        npc=row.is_npc,
        solo=row.is_solo,
        awox=row.is_awox,
        labels=row.labels,
        valueIsComplete=None if row.is_worth_known else False,
    )


def feed_block(killmail: FullKillmail) -> dict[str, Any]:
    """Return zKillboard's block as R2Z2 has it."""
    row = killmail.row
    return {
        **zkb_block(killmail),
        "attackerCount": row.attacker_count,
        "href": f"{_ESI}/v1/killmails/{row.killmail_id}/{row.hash.hex()}/",
    }


def time_text(time: datetime) -> str:
    """Return a time as ESI writes it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _victim(killmail: FullKillmail) -> dict[str, Any]:
    row = killmail.row
    position = None
    if row.position_x is not None:
        position = {"x": row.position_x, "y": row.position_y, "z": row.position_z}
    return _known(
        alliance_id=row.victim_alliance_id,
        character_id=row.victim_character_id,
        corporation_id=row.victim_corporation_id,
        damage_taken=row.damage_taken,
        faction_id=row.victim_faction_id,
        items=_items(killmail.items),
        position=position,
        ship_type_id=row.ship_type_id,
    )


def _attacker(row: AttackerRow) -> dict[str, Any]:
    return _known(
        alliance_id=row.alliance_id,
        character_id=row.character_id,
        corporation_id=row.corporation_id,
        damage_done=row.damage_done,
        faction_id=row.faction_id,
        final_blow=row.is_final_blow,
        security_status=None if row.security_status is None else shortest_real(row.security_status),
        ship_type_id=row.ship_type_id,
        weapon_type_id=row.weapon_type_id,
    )


def _items(rows: Sequence[ItemRow]) -> list[dict[str, Any]]:
    outermost: list[dict[str, Any]] = []
    made: dict[int, dict[str, Any]] = {}
    for row in rows:
        item = made[row.ordinal] = _known(
            flag=row.flag,
            item_type_id=row.type_id,
            quantity_destroyed=row.quantity_destroyed or None,
            quantity_dropped=row.quantity_dropped or None,
            singleton=row.singleton,
        )
        # A container comes before its contents.
        siblings = outermost if row.parent_ordinal is None else made[row.parent_ordinal].setdefault("items", [])
        siblings.append(item)
    return outermost


def shortest_real(value: float) -> float:
    """Return the number with fewest digits that a 4-byte column holds as this value: -0.3, not -0.30000001."""
    packed = struct.pack("f", value)
    for digits in range(1, 9):
        short = float(f"{value:.{digits}g}")
        if struct.pack("f", short) == packed:
            return short
    return value


def _known(**keys: Any) -> dict[str, Any]:
    """Return the keys that have a value; ESI leaves the others out."""
    return {name: value for name, value in keys.items() if value is not None}
