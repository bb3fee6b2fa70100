"""Killmails for the tests of the API and the site, stored through the one writer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from killreport.db.database import Database
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.mail.decode import decode_killmail
from killreport.killmail.writing.store import KillmailWriter, Stored

RIFTER, DAMAGE_CONTROL, CONTAINER, TRITANIUM, NOVA = 587, 2048, 3467, 34, 213
JITA, CALDARI_PROVISIONS, CONCORD = 30000142, 1000009, 1000125
PILOT, CORPORATION, ALLIANCE = 2112000001, 98000001, 99000001
KILLER, KILLERS_CORPORATION = 2112000099, 98000099
NOON = datetime(2021, 12, 2, 12, 0, tzinfo=UTC)


def attacker(number: int = 0, **keys: Any) -> dict[str, Any]:
    """Return an attacking pilot; number 0 strikes the final blow."""
    return {
        "character_id": KILLER + number,
        "corporation_id": KILLERS_CORPORATION,
        "damage_done": 1000 - min(number, 999),
        "final_blow": number == 0,
        "security_status": -1.5,
        "ship_type_id": RIFTER,
        "weapon_type_id": RIFTER,
        **keys,
    }


def mail_body(mail_id: int, time: datetime = NOON, *, attackers: int = 1, **victim: Any) -> dict[str, Any]:
    """Return a Rifter lost in Jita, as ESI gives it; `victim` overrides the victim's keys."""
    return {
        "killmail_id": mail_id,
        "killmail_time": f"{time:%Y-%m-%dT%H:%M:%SZ}",
        "solar_system_id": JITA,
        "victim": {
            "ship_type_id": RIFTER,
            "damage_taken": 1234,
            "character_id": PILOT,
            "corporation_id": CORPORATION,
            "alliance_id": ALLIANCE,
            "position": {"x": 1.0, "y": -2.0, "z": 3.5},
            "items": [{"item_type_id": DAMAGE_CONTROL, "flag": 11, "singleton": 0, "quantity_destroyed": 1}],
            **victim,
        },
        "attackers": [attacker(number) for number in range(attackers)],
    }


def arrival(mail_id: int, time: datetime = NOON, *, attackers: int = 1, **victim: Any) -> Arrival:
    """Return the mail of `mail_body` as a feed brings it: news, however old."""
    mail = decode_killmail(msgspec.json.encode(mail_body(mail_id, time, attackers=attackers, **victim)))
    return Arrival(mail, "test", reference=f"test:{mail_id}", is_from_feed=True)


async def store(writer: KillmailWriter, database: Database, *arrivals: Arrival) -> Stored:
    """Store them in one transaction."""
    return await writer.store(database, arrivals)


async def store_many(writer: KillmailWriter, database: Database, number: int, first_id: int = 1000) -> None:
    """Store `number` killmails, a second apart, the larger id the later; every pilot and corporation is another."""
    await store(
        writer,
        database,
        *(
            arrival(
                first_id + index,
                NOON + timedelta(seconds=index),
                attackers=3,
                character_id=PILOT + index,
                corporation_id=CORPORATION + index,
            )
            for index in range(number)
        ),
    )


async def name_everybody(database: Database, name: str = "Alice") -> None:
    """Store names for the victim's side of `arrival`."""
    async with database.transaction() as connection:
        await connection.execute("insert into character (character_id, name) values ($1, $2)", PILOT, name)
        await connection.execute(
            "insert into corporation (corporation_id, name, ticker) values ($1, $2, 'ALCO')", CORPORATION, f"{name} Co"
        )
        await connection.execute(
            "insert into alliance (alliance_id, name, ticker) values ($1, $2, 'ALLI')", ALLIANCE, f"{name} Alliance"
        )
