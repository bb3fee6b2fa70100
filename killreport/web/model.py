"""What the site asks of the API, decoded once. Names are the schema's, in snake_case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec


class Struct(msgspec.Struct, frozen=True, rename="camel"):
    """Base of everything the API answers."""


class ApiCharacter(Struct, frozen=True):
    """A pilot."""

    id: int
    name: str | None


class ApiCorporation(Struct, frozen=True):
    """A corporation or an alliance."""

    id: int
    name: str | None
    ticker: str | None


class ApiNamed(Struct, frozen=True):
    """Static data with a name."""

    id: int
    name: str | None


class ApiGroup(Struct, frozen=True):
    """A group of types."""

    id: int
    name: str | None
    category: ApiNamed | None


class ApiType(Struct, frozen=True):
    """A kind of thing."""

    id: int
    name: str | None
    group: ApiGroup | None


class ApiSolarSystem(Struct, frozen=True):
    """A system and where it lies."""

    id: int
    name: str | None
    security: float | None
    space_class: str | None
    constellation: ApiNamed | None
    region: ApiNamed | None


class ApiVictim(Struct, frozen=True):
    """Who lost what."""

    character: ApiCharacter | None
    corporation: ApiCorporation | None
    alliance: ApiCorporation | None
    faction: ApiNamed | None
    ship_type: ApiType
    damage_taken: int


class ApiAttacker(Struct, frozen=True):
    """One party to the kill; of the final blow of a list only who and the ship is asked."""

    character: ApiCharacter | None
    corporation: ApiCorporation | None
    alliance: ApiCorporation | None
    faction: ApiNamed | None
    ship_type: ApiType | None
    weapon_type: ApiType | None = None
    damage_done: int = 0
    final_blow: bool = False
    security_status: float | None = None


class ApiItem(Struct, frozen=True):
    """One item; unit_price is ISK as decimal text, None where no price is known."""

    type: ApiType
    quantity_dropped: int
    quantity_destroyed: int
    singleton: int
    unit_price: str | None
    price_explanation: str
    items: list[ApiItem] = []


class ApiTotal(Struct, frozen=True):
    """Worth of a loss or of a part of it, ISK as decimal text. is_complete: False where that is the least."""

    total: str
    is_complete: bool


class ApiSlot(Struct, frozen=True):
    """A place for one module."""

    module: ApiItem | None
    charges: list[ApiItem]


class ApiSection(Struct, frozen=True):
    """A bay with what was in it. slots: of a bay that has them; items: of every other."""

    slot_name: str
    slots: list[ApiSlot]
    items: list[ApiItem]
    worth: ApiTotal

    @property
    def fitted(self) -> list[ApiItem]:
        """Return what is in the slots, each module before its charges."""
        return [item for slot in self.slots for item in (slot.module, *slot.charges) if item is not None]


class ApiFitting(Struct, frozen=True):
    """All that the ship carried."""

    sections: list[ApiSection]


class ApiValues(Struct, frozen=True):
    """Worth of a loss, ISK as decimal text; ship: None where no price of the hull is known.

    is_complete: False where something has no known price, so that the sums are the least it was worth.
    """

    ship: str | None
    ship_price_explanation: str
    fitted: str
    dropped: str
    destroyed: str
    total: str
    is_complete: bool


class ApiKillRow(Struct, frozen=True):
    """A killmail in a list."""

    id: int
    cursor: str
    time: datetime
    solar_system: ApiSolarSystem
    victim: ApiVictim
    final_blow: ApiAttacker
    attacker_count: int
    values: ApiTotal
    labels: list[str]
    solo: bool
    npc: bool
    awox: bool

    @property
    def key(self) -> tuple[datetime, int]:
        """Return what lists are sorted by, newest first."""
        return self.time, self.id


class ApiPageInfo(Struct, frozen=True):
    """Whether and where a list goes on."""

    has_next_page: bool
    end_cursor: str | None


class ApiPage(Struct, frozen=True):
    """One page of killmails."""

    nodes: Sequence[ApiKillRow | None]
    page_info: ApiPageInfo

    @property
    def rows(self) -> list[ApiKillRow]:
        """Return the rows without those the API could not tell: one that is broken takes no other along."""
        return [row for row in self.nodes if row is not None]


class ApiFeedState(Struct, frozen=True):
    """How the live feed does; the API's schema says what its fields mean."""

    newest_killmail_at: datetime | None
    heard_at: datetime | None
    is_silent: bool
    trouble: str | None


class ApiStatus(Struct, frozen=True):
    """What the installation knows."""

    killmail_count: int
    last_stored_at: datetime | None


class StatusOfFeed(ApiStatus, frozen=True):
    """The same, with how the feed does."""

    feed: ApiFeedState


class FeedAnswer(Struct, frozen=True):
    """Answer to `documents.FEED`."""

    status: StatusOfFeed


class ApiProcess(Struct, frozen=True):
    """A process of the fleet; the API's schema says what its fields mean."""

    name: str
    kind: str
    description: str
    is_extra: bool
    queue_name: str | None
    schedule: str | None
    next_run_at: datetime | None
    is_alive: bool | None
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None
    last_report: str | None
    waits_for: str | None = None
    waits_since: datetime | None = None


class ApiQueue(Struct, frozen=True):
    """A queue and how fast it is worked on."""

    queue_name: str
    message_count: int | None
    delayed_count: int | None
    dead_letter_count: int | None
    oldest_message_at: datetime | None
    rate_per_second: float
    trouble: str | None


class ListAnswer(Struct, frozen=True):
    """Answer to `documents.LIST`."""

    killmails: ApiPage
    status: ApiStatus


class LiveAnswer(Struct, frozen=True):
    """One message of `documents.LIVE`."""

    killmails: ApiKillRow
