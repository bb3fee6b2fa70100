"""The channels of `/websocket/` and what is told on them, in zKillboard's shapes.

`killstream` has whole killmails; every other channel a few words about each killmail that is on it.
Source: zKillboard's `cron/9.queuePublish.php` and its wiki page "Websocket", read 2026-11-30.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from cachetools import FIFOCache

from killreport.api.context import ApiContext
from killreport.errors import Malformed
from killreport.eve.universe import Universe
from killreport.ids import MAX_ENTITY_ID, read_whole
from killreport.killmail.filters.values import LABEL_PATTERN
from killreport.killmail.shown.esi_body import FullKillmail, esi_body, load_full_killmails, zkb_block
from killreport.killmail.stored.queries import KillmailRow

KILLSTREAM = "killstream"
# Everything is on these; on the last nothing is, which clients subscribe to to keep their connection.
EVERYTHING = ("all:*", "public", "label:all")
NOTHING = "none:*"
DEAR = "total_value:10b+"
DEAR_CENTS = 10 * 10**9 * 100
# Of what there are channels, by id, and the columns of a killmail and of an attacker that have it.
_COLUMNS = {
    "character": "victim_character_id",
    "corporation": "victim_corporation_id",
    "alliance": "victim_alliance_id",
    "faction": "victim_faction_id",
    "ship": "ship_type_id",
    "group": "ship_group_id",
    "system": "solar_system_id",
    "constellation": "constellation_id",
    "region": "region_id",
}
_OF_ATTACKERS = {
    "character": "character_id",
    "corporation": "corporation_id",
    "alliance": "alliance_id",
    "faction": "faction_id",
    "ship": "ship_type_id",
}
_ENTITIES = (*_COLUMNS, "location")
_LABEL = re.compile(LABEL_PATTERN)
MAX_LETTERS = 60
# Killmails come one after the other; who reads them later is cut off long before so many passed.
KEPT = 256


def read_channel(name: Any) -> str:
    """Return the channel of that name. Raises Malformed with what there is."""
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_LETTERS:
        raise Malformed("the name of a channel is needed", "channel")
    kind, colon, value = name.partition(":")
    if name in (KILLSTREAM, *EVERYTHING, NOTHING, DEAR):
        return name
    if colon and kind in _ENTITIES:
        number = read_whole(value, 1, MAX_ENTITY_ID if kind != "location" else 2**63 - 1)
        if number is not None:
            return f"{kind}:{number}"
    elif kind == "label" and _LABEL.fullmatch(value):
        return name
    there_are = ", ".join((KILLSTREAM, *EVERYTHING, *(f"{kind}:ID" for kind in _ENTITIES), "label:LABEL", DEAR))
    raise Malformed(f"there is no such channel; there are {there_are}", "channel")


@dataclass(frozen=True, slots=True)
class Announcement:
    """One killmail as it is told. full: the text of killstream; short: the words of the other channels."""

    killmail_id: int
    channels: frozenset[str]
    full: str
    short: dict[str, Any]

    def texts(self, subscribed: set[str]) -> Iterator[str]:
        """Yield what goes to who subscribed to these channels, one message a channel."""
        if KILLSTREAM in subscribed:
            yield self.full
        for channel in sorted(self.channels & subscribed):
            yield msgspec.json.encode({**self.short, "channel": channel}).decode()


class Announcements:
    """Makes what is told of each killmail once for all sockets of the process."""

    def __init__(self, context: ApiContext, site: str) -> None:
        self._context = context
        self._site = site
        self._made: FIFOCache[int, asyncio.Task[Announcement]] = FIFOCache(KEPT)

    async def of(self, row: KillmailRow) -> Announcement:
        """Return what is told of a killmail; who asks at the same time gets the same."""
        made = self._made.get(row.killmail_id)
        if made is None or (made.done() and (made.cancelled() or made.exception() is not None)):
            made = self._made[row.killmail_id] = asyncio.ensure_future(self._make(row))
        # One socket may close while others still wait.
        return made.result() if made.done() else await asyncio.shield(made)

    async def _make(self, row: KillmailRow) -> Announcement:
        async with self._context.database.connection() as connection:
            (killmail,) = await load_full_killmails(connection, [row])
        return announce(killmail, self._context.views.universe, self._site)


def announce(killmail: FullKillmail, universe: Universe, site: str) -> Announcement:
    """Return what is told of a killmail. site: the base URL of its page."""
    row = killmail.row
    url = f"{site}/kill/{row.killmail_id}/"
    body = {**esi_body(killmail), "zkb": {**zkb_block(killmail), "url": url}}
    short = {
        "action": "littlekill",
        "killID": row.killmail_id,
        "character_id": row.victim_character_id or 0,
        "corporation_id": row.victim_corporation_id or 0,
        "alliance_id": row.victim_alliance_id or 0,
        "ship_type_id": row.ship_type_id,
        "group_id": row.ship_group_id or 0,
        "url": url,
        "hash": row.hash.hex(),
    }
    channels = frozenset(_channels(killmail, universe))
    return Announcement(row.killmail_id, channels, msgspec.json.encode(body).decode(), short)


def _channels(killmail: FullKillmail, universe: Universe) -> Iterator[str]:
    row = killmail.row
    yield from EVERYTHING
    yield from (f"label:{label}" for label in row.labels)
    if row.total_value_cents >= DEAR_CENTS:
        yield DEAR
    named = [(kind, getattr(row, column)) for kind, column in _COLUMNS.items()]
    named.append(("location", killmail.location_id))
    for attacker in killmail.attackers:
        named += [(kind, getattr(attacker, column)) for kind, column in _OF_ATTACKERS.items()]
        if attacker.ship_type_id is not None:
            named.append(("group", universe.group_id_of(attacker.ship_type_id)))
    yield from (f"{kind}:{found}" for kind, found in named if found)
