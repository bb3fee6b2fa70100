"""What ESI answers, of the fields the product keeps. Unknown keys are ignored, wrong types are refused with the path.

Where a later compatibility date renamed a field, the struct takes both names and offers one. A value that cannot be
(a date before EVE was, members below zero, the id 0) is None in a field that may be absent, and refused elsewhere.
Source: esi.evetech.net/meta/openapi.json, dates 2025-12-16 to 2026-09-14.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from killreport.decoding import EntityId, Text
from killreport.esi.ranges import (
    known_count,
    known_id,
    known_instant,
    known_isk,
    known_name,
    known_security,
    known_share,
    known_size,
    known_ticker,
)
from killreport.esi.texts import plain_text
from killreport.ids import MAX_ENTITY_ID

# Bounds are those of the columns; the game itself stays far within them. The id 0 is nobody's.
Id = Annotated[int, msgspec.Meta(ge=0, le=MAX_ENTITY_ID)]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{40}$")]
# An index holds a third of a page at the most.
Name = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$", max_length=500)]
# Until 2026-07-21 this one led every closed corporation.
_EVE_SYSTEM_ID = 1


class EsiCharacter(msgspec.Struct, frozen=True, kw_only=True):
    """A character. name: None where it is empty. security_status: -10 to 10. title: in the corporation."""

    name: Name | None
    corporation_id: EntityId
    birthday: datetime | None = None
    alliance_id: int | None = None
    faction_id: int | None = None
    gender: str | None = None
    race_id: int | None = None
    bloodline_id: int | None = None
    security_status: float | None = None
    title: str | None = None
    corporation_title: str | None = None
    description: str | None = None

    def __post_init__(self) -> None:
        _put(
            self,
            name=known_name(self.name),
            birthday=known_instant(self.birthday),
            alliance_id=known_id(self.alliance_id),
            faction_id=known_id(self.faction_id),
            gender=plain_text(self.gender),
            race_id=known_id(self.race_id),
            bloodline_id=known_id(self.bloodline_id),
            security_status=known_security(self.security_status),
            # Renamed on 2026-08-04.
            title=plain_text(self.corporation_title or self.title),
            description=plain_text(self.description),
        )


class Nowhere(msgspec.Struct, frozen=True, kw_only=True):
    """A character without the corporation that everybody has: an answer that is not complete."""

    name: Name
    corporation_id: Literal[0] | None = None


class TaxRates(msgspec.Struct, frozen=True):
    """A corporation's taxes in percent, as answered since 2026-07-21."""

    isk: float | None = None


class EsiCorporation(msgspec.Struct, frozen=True, kw_only=True):
    """A corporation. name, ticker: None where empty. tax_rate: 0 to 1. ceo_id: absent where it is closed."""

    name: Name | None = None
    ticker: str | None = None
    member_count: int | None = None
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

    def __post_init__(self) -> None:
        _put(
            self,
            name=known_name(self.name),
            ticker=known_ticker(self.ticker),
            member_count=known_count(self.member_count),
            ceo_id=known_id(None if self.ceo_id == _EVE_SYSTEM_ID else self.ceo_id),
            creator_id=known_id(self.creator_id),
            alliance_id=known_id(self.alliance_id),
            faction_id=known_id(self.faction_id),
            enlisted_faction_id=known_id(self.enlisted_faction_id),
            date_founded=known_instant(self.date_founded),
            tax_rate=known_share(self.tax_rate),
            url=plain_text(self.url),
            description=plain_text(self.description),
            home_station_id=known_id(self.home_station_id),
        )

    def in_present_shape(self) -> EsiCorporation:
        """Return the same with the newer names' values under the older names."""
        tax_rate = self.tax_rate
        if self.tax_rates is not None and self.tax_rates.isk is not None:
            tax_rate = known_share(self.tax_rates.isk / 100)
        faction_id = self.faction_id if self.enlisted_faction_id is None else self.enlisted_faction_id
        return msgspec.structs.replace(self, tax_rate=tax_rate, faction_id=faction_id)


class EsiAlliance(msgspec.Struct, frozen=True, kw_only=True):
    """An alliance. name, ticker: None where empty. executor_corporation_id: absent where it is closed."""

    name: Name | None = None
    ticker: str | None = None
    creator_id: int | None = None
    creator_corporation_id: int | None = None
    date_founded: datetime | None = None
    executor_corporation_id: int | None = None
    faction_id: int | None = None

    def __post_init__(self) -> None:
        _put(
            self,
            name=known_name(self.name),
            ticker=known_ticker(self.ticker),
            creator_id=known_id(self.creator_id),
            creator_corporation_id=known_id(self.creator_corporation_id),
            date_founded=known_instant(self.date_founded),
            executor_corporation_id=known_id(self.executor_corporation_id),
            faction_id=known_id(self.faction_id),
        )


class EsiAffiliation(msgspec.Struct, frozen=True, kw_only=True):
    """Where a character belongs now."""

    character_id: EntityId
    corporation_id: Id
    alliance_id: int | None = None
    faction_id: int | None = None

    def __post_init__(self) -> None:
        _put(self, alliance_id=known_id(self.alliance_id), faction_id=known_id(self.faction_id))


class EsiName(msgspec.Struct, frozen=True, kw_only=True):
    """A name. category: character, corporation, alliance, faction, inventory_type, solar_system, ..."""

    id: Id
    name: Name
    category: Text


class EsiType(msgspec.Struct, frozen=True, kw_only=True):
    """A type of things. mass: in kilograms. volume, capacity: in cubic metres; None where they are below zero."""

    type_id: Id
    name: Name
    group_id: Id
    published: bool
    description: str | None = ""
    mass: float | None = None
    volume: float | None = None
    capacity: float | None = None
    market_group_id: int | None = None

    def __post_init__(self) -> None:
        _put(
            self,
            description=plain_text(self.description) or "",
            mass=known_size(self.mass),
            volume=known_size(self.volume),
            capacity=known_size(self.capacity),
            market_group_id=known_id(self.market_group_id),
        )


class EsiGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group of types."""

    group_id: Id
    name: Name
    category_id: Id
    published: bool


class EsiCategory(msgspec.Struct, frozen=True, kw_only=True):
    """A category of groups."""

    category_id: Id
    name: Name
    published: bool


class MarketPrice(msgspec.Struct, frozen=True, kw_only=True):
    """CCP's own price of a type, in ISK; None for one that cannot be, so that it costs the other types nothing.

    source: who made it up; ESI has no such key.
    """

    type_id: Id
    average_price: float | None = None
    adjusted_price: float | None = None
    source: Annotated[str, msgspec.Meta(max_length=100)] = ""

    def __post_init__(self) -> None:
        _put(self, average_price=known_isk(self.average_price), adjusted_price=known_isk(self.adjusted_price))


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


def _put(struct: msgspec.Struct, **values: Any) -> None:
    """Set fields of a struct that is being made."""
    for name, value in values.items():
        msgspec.structs.force_setattr(struct, name, value)
