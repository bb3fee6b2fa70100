"""Read killmails that are not quite in the present shape: CREST's, those of the XML API's time, and careless copies.

One table of spellings a field serves all dialects. Accepted besides the present shape: null for absent, 0 for an absent
id, whole numbers written as floats or digits, references as objects with an id, 0 and 1 for no and yes, a blank or dots
in the time, a missing zone (UTC then), items and position beside the victim instead of inside.
Nothing is guessed: a field that is there and cannot be read is refused with its path.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Literal, overload

from killreport.errors import Malformed
from killreport.ids import MAX_ENTITY_ID, MAX_ID
from killreport.killmail.mail.model import (
    FARTHEST_METRES,
    MAX_INT2,
    MAX_INT8,
    MAX_SECURITY,
    Attacker,
    Item,
    Killmail,
    Position,
    Victim,
)

DEEPEST_ITEMS = 4  # real mails have two levels: a container and its contents

_TIME = re.compile(
    r"(\d{4})[-.](\d\d)[-.](\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,6})?)(?:\d*)\s?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)

_KINDS = {bool: "true or false", int: "a number", float: "a fraction", str: "text", list: "a list", dict: "an object"}
_DECIMAL = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)


def read_killmail(document: object) -> Killmail:
    """Return the killmail in a decoded JSON document, with the bounds of every field checked.

    How the fields go together (final blow, time) is left to `killreport.killmail.mail.decode`. Raises Malformed.
    """
    root = Fields(document, "$")
    victim = root.part("victim")
    items, items_path = victim.rows("items")
    if not items:
        items, items_path = root.rows("items")
    attackers, attackers_path = root.rows("attackers")
    return Killmail(
        killmail_id=root.id("killmail_id", "killID", "killmailID", most=MAX_ID, is_required=True),
        killmail_time=root.time("killmail_time", "killTime", "killmailTime"),
        solar_system_id=root.id("solar_system_id", "solarSystemID", "solarSystem", is_required=True),
        victim=_victim(victim, _position(victim, root), _items(items, items_path, 1)),
        attackers=tuple(_attacker(Fields(row, f"{attackers_path}[{at}]")) for at, row in enumerate(attackers)),
        war_id=root.id("war_id", "warID", "war", most=MAX_ID),
        moon_id=root.id("moon_id", "moonID", "moon", most=MAX_ID),
    )


def _victim(fields: Fields, position: Position | None, items: tuple[Item, ...]) -> Victim:
    return Victim(
        ship_type_id=fields.id("ship_type_id", "shipTypeID", "shipType", is_required=True),
        damage_taken=fields.amount("damage_taken", "damageTaken") or 0,
        character_id=fields.id("character_id", "characterID", "character"),
        corporation_id=fields.id("corporation_id", "corporationID", "corporation"),
        alliance_id=fields.id("alliance_id", "allianceID", "alliance"),
        faction_id=fields.id("faction_id", "factionID", "faction"),
        position=position,
        items=items,
    )


def _attacker(fields: Fields) -> Attacker:
    return Attacker(
        damage_done=fields.amount("damage_done", "damageDone") or 0,
        final_blow=fields.truth("final_blow", "finalBlow"),
        security_status=fields.number("security_status", "securityStatus", most=MAX_SECURITY),
        character_id=fields.id("character_id", "characterID", "character"),
        corporation_id=fields.id("corporation_id", "corporationID", "corporation"),
        alliance_id=fields.id("alliance_id", "allianceID", "alliance"),
        faction_id=fields.id("faction_id", "factionID", "faction"),
        ship_type_id=fields.id("ship_type_id", "shipTypeID", "shipType"),
        weapon_type_id=fields.id("weapon_type_id", "weaponTypeID", "weaponType"),
    )


def _items(rows: list[object], path: str, level: int) -> tuple[Item, ...]:
    if rows and level > DEEPEST_ITEMS:
        raise Malformed("containers are nested too deeply", path)
    return tuple(_item(Fields(row, f"{path}[{at}]"), level) for at, row in enumerate(rows))


def _item(fields: Fields, level: int) -> Item:
    inner, inner_path = fields.rows("items")
    return Item(
        item_type_id=fields.id("item_type_id", "typeID", "itemType", "type_id", is_required=True),
        flag=fields.amount("flag", most=MAX_INT2, is_required=True),
        singleton=fields.amount("singleton", most=MAX_INT2) or 0,
        quantity_dropped=fields.amount("quantity_dropped", "quantityDropped", "qtyDropped"),
        quantity_destroyed=fields.amount("quantity_destroyed", "quantityDestroyed", "qtyDestroyed"),
        items=_items(inner, inner_path, level + 1) or None,
    )


def _position(victim: Fields, root: Fields) -> Position | None:
    for fields in (victim, root):
        value, path = fields.find(("position",))
        if value is not None:
            place = Fields(value, path)
            x, y, z = (place.number(axis, most=FARTHEST_METRES) for axis in "xyz")
            if x is not None and y is not None and z is not None:
                return Position(x, y, z)
    return None


class Fields:
    """One JSON object and its path; every reader takes the spellings of a field, the present one first."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise Malformed(f"expected an object, found {_kind(value)}", path)
        self._values = value
        self._path = path

    def find(self, names: tuple[str, ...]) -> tuple[object, str]:
        """Return the first value that is there and not null, with its path; else None and the present spelling's."""
        for name in names:
            value = self._values.get(name)
            if value is not None:
                return value, f"{self._path}.{name}"
        return None, f"{self._path}.{names[0]}"

    def part(self, name: str) -> Fields:
        value, path = self.find((name,))
        if value is None:
            raise Malformed("it is missing", path)
        return Fields(value, path)

    def rows(self, name: str) -> tuple[list[object], str]:
        value, path = self.find((name,))
        if value is None:
            return [], path
        if not isinstance(value, list):
            raise Malformed(f"expected a list, found {_kind(value)}", path)
        return value, path

    @overload
    def id(self, *names: str, most: int = ..., is_required: Literal[True]) -> int: ...
    @overload
    def id(self, *names: str, most: int = ...) -> int | None: ...
    def id(self, *names: str, most: int = MAX_ENTITY_ID, is_required: bool = False) -> int | None:
        value, path = self.find(names)
        if isinstance(value, dict):
            value, path = Fields(value, path).find(("id",))
        number = None if value is None else _whole(value, path, most)
        if not number and is_required:
            raise Malformed("the id is missing", path)
        return number or None

    @overload
    def amount(self, *names: str, most: int = ..., is_required: Literal[True]) -> int: ...
    @overload
    def amount(self, *names: str, most: int = ...) -> int | None: ...
    def amount(self, *names: str, most: int = MAX_INT8, is_required: bool = False) -> int | None:
        value, path = self.find(names)
        if value is None and is_required:
            raise Malformed("it is missing", path)
        return None if value is None else _whole(value, path, most)

    def number(self, *names: str, most: float) -> float | None:
        value, path = self.find(names)
        if value is None:
            return None
        number = _real(value)
        if number is None:
            raise Malformed(f"expected a number, found {_kind(value)}", path)
        if not abs(number) <= most:
            raise Malformed(f"the number is beyond {most:g}", path)
        return number

    def truth(self, *names: str) -> bool:
        value, path = self.find(names)
        return False if value is None else bool(value if value is True else _whole(value or 0, path, 1))

    def time(self, *names: str) -> datetime:
        value, path = self.find(names)
        if value is None:
            raise Malformed("the time is missing", path)
        match = _TIME.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise Malformed("it is not a time", path)
        year, month, day, clock, zone = match.groups()
        try:
            return datetime.fromisoformat(f"{year}-{month}-{day}T{clock}{zone or 'Z'}").astimezone(UTC)
        except (ValueError, OverflowError):
            raise Malformed("there is no such time", path) from None


def _whole(value: object, path: str, most: int) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Malformed(f"expected a whole number, found {_kind(value)}", path)
    if not 0 <= value <= most:
        raise Malformed(f"the number is not between 0 and {most}", path)
    return value


def _real(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "nothing")
