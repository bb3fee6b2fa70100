"""Killmails as the schema shows them. Field names are the schema's, in snake_case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from killreport.api.paging.cursor import encode_cursor
from killreport.api.views.batch import Parts
from killreport.api.views.entity import EntityViews, WantedNames, load_wanted
from killreport.api.views.sides import FinalBlowView, LinksView, VictimView, of_row
from killreport.api.views.universe import SolarSystemView, UniverseViews
from killreport.db.database import Database
from killreport.killmail.lists.page import Order, cursor_of
from killreport.killmail.stored.queries import AttackerRow, KillmailRow

# For people and programs to look up the same killmail; never the hosts of the settings, which may be a simulator.
_ZKILLBOARD = "https://zkillboard.com"
_ESI = "https://esi.evetech.net"


class KillmailView:
    """One killmail without its attackers and items. row: all of it is drawn from; parts: those of its whole batch."""

    __slots__ = ("_entities", "_order", "_views", "parts", "row")

    def __init__(
        self, row: KillmailRow, entities: EntityViews, views: UniverseViews, parts: Parts | None, order: Order
    ) -> None:
        """order: of the list its cursor belongs to."""
        self.row, self.parts = row, parts
        self._entities, self._views, self._order = entities, views, order

    id: int = of_row("killmail_id")
    time: datetime = of_row("killmail_time")
    attacker_count: int = of_row("attacker_count")
    player_count: int = of_row("player_count")
    points: int = of_row("points")
    labels: list[str] = of_row("labels")
    solo: bool = of_row("is_solo")
    npc: bool = of_row("is_npc")
    awox: bool = of_row("is_awox")
    war_id: int | None = of_row("war_id")
    stored_at: datetime = of_row("stored_at")

    @property
    def hash(self) -> str:
        """Return the hash that ESI asks for, in hexadecimal digits."""
        return self.row.hash.hex()

    @property
    def cursor(self) -> str:
        """Return its place in its list."""
        return encode_cursor(cursor_of(self.row, self._order), self._order)

    @property
    def solar_system(self) -> SolarSystemView:
        """Return where it happened."""
        row = self.row
        return self._views.system(row.solar_system_id, row.constellation_id, row.region_id)

    @property
    def victim(self) -> VictimView:
        """Return who lost what."""
        return VictimView(self.row, self._entities, self._views)

    @property
    def final_blow(self) -> FinalBlowView:
        """Return who struck the final blow."""
        return FinalBlowView(self.row, self._entities, self._views)

    @property
    def links(self) -> LinksView:
        """Return where else it is shown."""
        return LinksView(f"{_ZKILLBOARD}/kill/{self.id}/", f"{_ESI}/killmails/{self.id}/{self.hash}/")


async def load_views(
    database: Database,
    views: UniverseViews,
    rows: Sequence[KillmailRow],
    parts: Parts | None = None,
    order: Order = Order.NEWEST,
) -> list[KillmailView]:
    """Return the views of these rows, in their order; one statement for all names. order: of their cursors."""
    entities = await load_everybody(database, views, rows)
    shared = parts or Parts(database, views, [row.killmail_id for row in rows])
    return [KillmailView(row, entities, views, shared, order) for row in rows]


async def load_everybody(
    database: Database, views: UniverseViews, rows: Sequence[KillmailRow], attackers: Sequence[AttackerRow] = ()
) -> EntityViews:
    """Return views of who lost these ships, who struck the final blows, and the attackers; one statement at most."""
    wanted = WantedNames()
    wanted.add(rows, "victim_", "final_blow_")
    wanted.add(attackers, "")
    return await load_wanted(database, views, wanted)
