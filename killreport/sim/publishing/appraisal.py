"""The `zkb` block: what zKillboard says of a mail beside the mail itself. Plain prices, real shape, right labels.

Written apart from the product's own rules on purpose: where both agree, neither copied the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from killreport.eve.universe import Universe
from killreport.sim.world.chance import mix
from killreport.sim.world.market import MadeUpMarket
from killreport.sim.world.space import kind_of_space

_LAST_NPC_CHARACTER_ID = 3_999_999
_LAST_NPC_CORPORATION_ID = 1_999_999
_CAPSULE, _SHUTTLE, _CORVETTE = 29, 31, 237
_SHIP, _STRUCTURE = 6, 65
_ESCAPE_BAY = 179
_FITTED_FLAGS = frozenset({*range(11, 35), *range(92, 99), *range(125, 133), *range(159, 172)})
_SIZES = (
    (1000, "#:1000+"), (100, "#:100+"), (50, "#:50+"), (25, "#:25+"), (10, "#:10+"), (5, "#:5+"), (2, "#:2+"),
    (1, "#:1"),
)  # fmt: skip
_WORTH = ((10**12, "isk:1t+"), (10**11, "isk:100b+"), (10**10, "isk:10b+"), (5 * 10**9, "isk:5b+"), (10**9, "isk:1b+"))
_LOCATIONS = {
    "highsec": "loc:highsec", "lowsec": "loc:lowsec", "nullsec": "loc:nullsec", "wormhole": "loc:w-space",
    "abyssal": "loc:abyssal",
}  # fmt: skip
_MILITIAS = {
    500001: ("calgal", 500004), 500004: ("calgal", 500001), 500003: ("amamin", 500002), 500002: ("amamin", 500003),
}  # fmt: skip
_MILITIA_NAMES = {500001: "caldari", 500002: "minmatar", 500003: "amarr", 500004: "gallente"}


class Appraiser:
    """Makes `zkb` blocks."""

    def __init__(self, universe: Universe, market: MadeUpMarket) -> None:
        """Prices are those of the market on the day of the mail."""
        self._universe = universe
        self._market = market

    def block(self, mail: dict[str, Any], digest: str, extra_labels: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return the block for an ESI-shaped mail; `extra_labels` are those that came to it later."""
        fitted, dropped, destroyed = self._values(mail["victim"], date.fromisoformat(mail["killmail_time"][:10]))
        flags = self._flags(mail)
        return {
            "locationID": 40_000_000 + mix(mail["solar_system_id"], mail["killmail_id"] % 40) % 480_000,
            "hash": digest,
            "fittedValue": round(fitted, 2),
            "droppedValue": round(dropped, 2),
            "destroyedValue": round(destroyed, 2),
            "totalValue": round(dropped + destroyed, 2),
            "points": 1 if flags["npc"] else max(1, 12 // len(mail["attackers"])),
            **flags,
            "labels": [*self._labels(mail, flags, dropped + destroyed), *extra_labels],
            "attackerCount": len(mail["attackers"]),
            "href": f"https://esi.evetech.net/v1/killmails/{mail['killmail_id']}/{digest}/",
        }

    def _price(self, type_id: int, day: date) -> float:
        if self._universe.group_id_of(type_id) == _CAPSULE:
            return 10_000.0
        return self._market.price(type_id, day) or 0.01

    def _values(self, victim: dict[str, Any], day: date) -> tuple[float, float, float]:
        ship = self._price(victim["ship_type_id"], day)
        fitted, dropped, destroyed = ship, 0.0, ship
        for row in _flat(victim.get("items", ())):
            worthless = row["singleton"] == 2 or row["flag"] == _ESCAPE_BAY
            price = 0.01 if worthless else self._price(row["item_type_id"], day)
            lost, kept = row.get("quantity_destroyed", 0) * price, row.get("quantity_dropped", 0) * price
            dropped += kept
            destroyed += lost
            if row["flag"] in _FITTED_FLAGS:
                fitted += lost + kept
        return fitted, dropped, destroyed

    def _flags(self, mail: dict[str, Any]) -> dict[str, bool]:
        victim, attackers = mail["victim"], mail["attackers"]
        victim_group = self._universe.group_id_of(victim["ship_type_id"])
        players = sum(_is_player(attacker) for attacker in attackers)
        corporations = any(attacker.get("corporation_id", 0) > _LAST_NPC_CORPORATION_ID for attacker in attackers)
        ownerless = not victim.get("character_id") and 0 < victim.get("corporation_id", 0) <= _LAST_NPC_CORPORATION_ID
        npc = ownerless or not (players or corporations)
        final = next(attacker for attacker in attackers if attacker.get("final_blow"))
        own = victim.get("corporation_id", 0)
        return {
            "npc": npc,
            "solo": not npc
            and players == 1
            and self._universe.category_id_of(victim["ship_type_id"]) == _SHIP
            and victim_group not in {_CAPSULE, _SHUTTLE, _CORVETTE}
            and all(self._universe.category_id_of(a.get("ship_type_id", 0)) != _STRUCTURE for a in attackers),
            "awox": not npc
            and victim_group not in {_CAPSULE, _CORVETTE}
            and own > _LAST_NPC_CORPORATION_ID
            and final.get("corporation_id") == own
            and _is_player(final),
        }

    def _labels(self, mail: dict[str, Any], flags: dict[str, bool], total: float) -> Iterator[str]:
        ship = mail["victim"]["ship_type_id"]
        yield f"tz:{_time_zone(int(mail['killmail_time'][11:13]))}"
        yield f"cat:{self._universe.category_id_of(ship) or 0}"
        count = len(mail["attackers"])
        yield "solo" if flags["solo"] else next(label for least, label in _SIZES if count >= least)
        yield "npc" if flags["npc"] else "pvp"
        if flags["awox"]:
            yield "awox"
        system = self._universe.systems.get(mail["solar_system_id"])
        location = None if system is None else _LOCATIONS.get(kind_of_space(system) or "")
        if location is not None:
            yield location
        worth = next((label for least, label in _WORTH if total >= least), None)
        if worth is not None:
            yield worth
        if self._universe.is_capital(ship):
            yield "capital"
        yield from self._warfare(mail)

    @staticmethod
    def _warfare(mail: dict[str, Any]) -> Iterator[str]:
        front, enemy = _MILITIAS.get(mail["victim"].get("faction_id", 0), ("", 0))
        if front and any(_is_player(a) and a.get("faction_id") == enemy for a in mail["attackers"]):
            yield f"fw:{_MILITIA_NAMES[enemy]}"
            yield f"fw:{front}"


def can_be_ganked(mail: dict[str, Any], universe: Universe) -> bool:
    """Return whether the label `ganked` may come to this mail later: a player killed by players in high security."""
    system = universe.systems.get(mail["solar_system_id"])
    return (
        system is not None
        and kind_of_space(system) == "highsec"
        and "war_id" not in mail
        and _is_player(mail["victim"])
        and any(_is_player(attacker) for attacker in mail["attackers"])
    )


def _is_player(row: dict[str, Any]) -> bool:
    return bool(row.get("character_id", 0) > _LAST_NPC_CHARACTER_ID)


def _flat(rows: Any) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield row
        yield from _flat(row.get("items", ()))


def _time_zone(hour: int) -> str:
    if hour >= 22 or hour < 4:
        return "use"
    if hour < 8:
        return "usw"
    if hour < 14:
        return "au"
    return "ru" if hour < 17 else "eu"
