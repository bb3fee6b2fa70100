"""What ESI answers, of the fields the product keeps. Unknown keys are ignored, wrong types are refused with the path.

Where a later compatibility date renamed a field, the struct takes both names and offers one.
Source: esi.evetech.net/meta/openapi.json, dates 2025-12-16 to 2026-09-14.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec

from killreport.decoding import Count, Text, is_storable
from killreport.ids import MAX_ENTITY_ID

# Bounds are those of the columns; the game itself stays far within them. Some ids are 0 or 1 for nobody.
Id = Annotated[int, msgspec.Meta(ge=0, le=MAX_ENTITY_ID)]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{40}$")]
# An index holds a third of a page at the most.
Name = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$", max_length=500)]
Members = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Security = Annotated[float, msgspec.Meta(ge=-100.0, le=100.0)]
Share = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
Isk = Annotated[float, msgspec.Meta(ge=0.0, le=1e16)]


class Character(msgspec.Struct, frozen=True, kw_only=True):
    """A character. security_status: -10 to 10."""

    name: Name
    corporation_id: Id
    birthday: datetime
    alliance_id: Id | None = None
    faction_id: Id | None = None
    gender: Text | None = None
    race_id: Id | None = None
    bloodline_id: Id | None = None
    security_status: Security | None = None
    title: Text | None = None
    description: Text | None = None

    def __post_init__(self) -> None:
        _check_instant(self.birthday)


class TaxRates(msgspec.Struct, frozen=True):
    """A corporation's taxes in percent, as answered since 2026-07-21."""

    isk: Share = 0.0


class Corporation(msgspec.Struct, frozen=True, kw_only=True):
    """A corporation. tax_rate: 0 to 1. ceo_id: absent where it is closed."""

    name: Name
    ticker: Name
    member_count: Members = 0
    ceo_id: Id | None = None
    creator_id: Id | None = None
    alliance_id: Id | None = None
    faction_id: Id | None = None
    enlisted_faction_id: Id | None = None
    date_founded: datetime | None = None
    tax_rate: Share | None = None
    tax_rates: TaxRates | None = None
    url: Text | None = None
    description: Text | None = None
    home_station_id: Id | None = None
    war_eligible: bool | None = None

    def __post_init__(self) -> None:
        _check_instant(self.date_founded)

    def in_present_shape(self) -> Corporation:
        """Return the same with the newer names' values under the older names."""
        tax_rate = self.tax_rate if self.tax_rates is None else self.tax_rates.isk / 100
        faction_id = self.faction_id if self.enlisted_faction_id is None else self.enlisted_faction_id
        return msgspec.structs.replace(self, tax_rate=tax_rate, faction_id=faction_id)


class Alliance(msgspec.Struct, frozen=True, kw_only=True):
    """An alliance. executor_corporation_id: absent where it is closed."""

    name: Name
    ticker: Name
    creator_id: Id
    creator_corporation_id: Id
    date_founded: datetime
    executor_corporation_id: Id | None = None
    faction_id: Id | None = None

    def __post_init__(self) -> None:
        _check_instant(self.date_founded)


class Affiliation(msgspec.Struct, frozen=True, kw_only=True):
    """Where a character belongs now."""

    character_id: Id
    corporation_id: Id
    alliance_id: Id | None = None
    faction_id: Id | None = None


class NamedEntity(msgspec.Struct, frozen=True, kw_only=True):
    """A name. category: character, corporation, alliance, faction, inventory_type, solar_system, ..."""

    id: Id
    name: Name
    category: Text


class EveType(msgspec.Struct, frozen=True, kw_only=True):
    """A type of things."""

    type_id: Id
    name: Name
    group_id: Id
    published: bool
    description: Text = ""
    mass: float | None = None
    volume: float | None = None
    capacity: float | None = None
    market_group_id: Id | None = None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group of types."""

    group_id: Id
    name: Name
    category_id: Id
    published: bool


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """A category of groups."""

    category_id: Id
    name: Name
    published: bool


class SolarSystem(msgspec.Struct, frozen=True, kw_only=True):
    """A solar system. security_status: unrounded."""

    system_id: Id
    name: Name
    constellation_id: Id
    security_status: Security


class MarketPrice(msgspec.Struct, frozen=True, kw_only=True):
    """CCP's own price of a type, in ISK."""

    type_id: Id
    average_price: Isk | None = None
    adjusted_price: Isk | None = None


class MarketDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day of a region's market for one type, in ISK."""

    date: date
    average: Isk
    highest: Isk
    lowest: Isk
    order_count: Count
    volume: Count


class KillmailRef(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to ask for a killmail."""

    killmail_id: Id
    killmail_hash: Hash


class KillmailPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list of killmails, the newest first. pages: how many there are.

    modified: when ESI made the list, as sent; pages of which this differs are of two lists. None where not sent.
    """

    refs: list[KillmailRef]
    pages: int
    modified: str | None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The game server. vip: closed to players."""

    players: Count
    server_version: Text
    vip: bool = False


def _check_instant(instant: datetime | None) -> None:
    """Raise ValueError, which the decoder tells with its path, for an instant the database cannot hold in UTC."""
    if instant is not None and not is_storable(instant):
        raise ValueError("an instant at the end of the calendar")
