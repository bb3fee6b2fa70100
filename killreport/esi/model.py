"""What ESI answers, of the fields the product keeps. Unknown keys are ignored, wrong types are refused with the path.

Where a later compatibility date renamed a field, the struct takes both names and offers one.
Source: esi.evetech.net/meta/openapi.json, dates 2025-12-16 to 2026-09-14.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from killreport.errors import Malformed


class Character(msgspec.Struct, frozen=True, kw_only=True):
    """A character. security_status: -10 to 10."""

    name: str
    corporation_id: int
    birthday: datetime
    alliance_id: int | None = None
    faction_id: int | None = None
    gender: str | None = None
    race_id: int | None = None
    bloodline_id: int | None = None
    security_status: float | None = None
    title: str | None = None
    description: str | None = None


class TaxRates(msgspec.Struct, frozen=True):
    """A corporation's taxes in percent, as answered since 2026-07-21."""

    isk: float = 0.0


class Corporation(msgspec.Struct, frozen=True, kw_only=True):
    """A corporation. tax_rate: 0 to 1. ceo_id: absent where it is closed."""

    name: str
    ticker: str
    member_count: int = 0
    ceo_id: int | None = None
    creator_id: int | None = None
    alliance_id: int | None = None
    faction_id: int | None = None
    enlisted_faction_id: int | None = None
    date_founded: datetime | None = None
    tax_rate: float | None = None
    tax_rates: TaxRates | None = None
    url: str | None = None
    description: str | None = None
    home_station_id: int | None = None
    war_eligible: bool | None = None

    def in_present_shape(self) -> Corporation:
        """Return the same with the newer names' values under the older names."""
        tax_rate = self.tax_rate if self.tax_rates is None else self.tax_rates.isk / 100
        faction_id = self.faction_id if self.enlisted_faction_id is None else self.enlisted_faction_id
        return msgspec.structs.replace(self, tax_rate=tax_rate, faction_id=faction_id)


class Alliance(msgspec.Struct, frozen=True, kw_only=True):
    """An alliance. executor_corporation_id: absent where it is closed."""

    name: str
    ticker: str
    creator_id: int
    creator_corporation_id: int
    date_founded: datetime
    executor_corporation_id: int | None = None
    faction_id: int | None = None


class Affiliation(msgspec.Struct, frozen=True, kw_only=True):
    """Where a character belongs now."""

    character_id: int
    corporation_id: int
    alliance_id: int | None = None
    faction_id: int | None = None


class NamedEntity(msgspec.Struct, frozen=True, kw_only=True):
    """A name. category: character, corporation, alliance, faction, inventory_type, solar_system, ..."""

    id: int
    name: str
    category: str


class EveType(msgspec.Struct, frozen=True, kw_only=True):
    """A type of things."""

    type_id: int
    name: str
    group_id: int
    published: bool
    description: str = ""
    mass: float | None = None
    volume: float | None = None
    capacity: float | None = None
    market_group_id: int | None = None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group of types."""

    group_id: int
    name: str
    category_id: int
    published: bool


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """A category of groups."""

    category_id: int
    name: str
    published: bool


class SolarSystem(msgspec.Struct, frozen=True, kw_only=True):
    """A solar system. security_status: unrounded."""

    system_id: int
    name: str
    constellation_id: int
    security_status: float


class MarketPrice(msgspec.Struct, frozen=True, kw_only=True):
    """CCP's own price of a type, in ISK."""

    type_id: int
    average_price: float | None = None
    adjusted_price: float | None = None


class MarketDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day of a region's market for one type, in ISK."""

    date: date
    average: float
    highest: float
    lowest: float
    order_count: int
    volume: int


class KillmailRef(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to ask for a killmail."""

    killmail_id: int
    killmail_hash: str


class KillmailPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list of killmails, the newest first. pages: how many there are.

    modified: when ESI made the list, as sent; pages of which this differs are of two lists. None where not sent.
    """

    refs: list[KillmailRef]
    pages: int
    modified: str | None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The game server. vip: closed to players."""

    players: int
    server_version: str
    vip: bool = False


def decode(body: bytes, shape: Any) -> Any:
    """Return the body in this shape. Raises Malformed with the path of what is wrong."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `")
        raise Malformed(reason, path.removesuffix("`") or "$") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"not JSON ({error})") from None
