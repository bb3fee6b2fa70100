"""Every question the product asks ESI, as a method with a typed answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec
import structlog

from killreport.config import Settings
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.decoding import decode_json
from killreport.errors import Incomplete, Malformed
from killreport.esi.budget import Budget
from killreport.esi.bulk import in_bulk
from killreport.esi.cache import prune_answers
from killreport.esi.model import (
    EsiAffiliation,
    EsiAlliance,
    EsiCategory,
    EsiCharacter,
    EsiCorporation,
    EsiGroup,
    EsiName,
    EsiType,
    Id,
    KillmailPage,
    KillmailRef,
    MarketPrice,
    Nowhere,
)
from killreport.esi.ranges import known_name
from killreport.esi.transport import COMPATIBILITY_DATE, Transport
from killreport.http import open_session

_Item = TypeVar("_Item")

log = structlog.get_logger()


class EsiClient:
    """ESI for one process; all methods raise as `Transport.get` does, and Malformed for an answer of another shape."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def character(self, character_id: int) -> EsiCharacter:
        """Return a character. Raises Incomplete for one that has a name and is nowhere."""
        body = (await self._transport.get("/characters/{id}", f"/characters/{character_id:d}")).body
        try:
            return decode_json(body, EsiCharacter)
        except Malformed as error:
            raise _as_incomplete(error, body) from None

    async def corporation(self, corporation_id: int) -> EsiCorporation:
        """Return a corporation."""
        found = await self._one("/corporations/{id}", f"/corporations/{corporation_id:d}", EsiCorporation)
        return found.in_present_shape()

    async def alliance(self, alliance_id: int) -> EsiAlliance:
        """Return an alliance."""
        return await self._one("/alliances/{id}", f"/alliances/{alliance_id:d}", EsiAlliance)

    async def alliance_ids(self) -> list[int]:
        """Return the ids of all alliances."""
        return await self._one("/alliances", "/alliances", list[Id])

    async def alliance_corporation_ids(self, alliance_id: int) -> list[int]:
        """Return the corporations that are in the alliance now."""
        path = f"/alliances/{alliance_id:d}/corporations"
        return await self._one("/alliances/{id}/corporations", path, list[Id])

    async def affiliations(
        self, character_ids: Sequence[int], *, patience_seconds: float = 0.0
    ) -> list[EsiAffiliation]:
        """Return where these characters belong, of any number; as `in_bulk` leaves ids out and waits."""

        async def ask(ids: Sequence[int]) -> list[EsiAffiliation]:
            found = await self._bulk("/characters/affiliation", ids, EsiAffiliation)
            return [affiliation for affiliation in found if affiliation.corporation_id]

        return await in_bulk(character_ids, ask, patience_seconds=patience_seconds)

    async def names(self, entity_ids: Sequence[int]) -> list[EsiName]:
        """Return the names of these ids, of any kind and number; as `in_bulk` leaves ids out."""

        async def ask(ids: Sequence[int]) -> list[EsiName]:
            return await self._bulk("/universe/names", ids, EsiName)

        return await in_bulk(entity_ids, ask)

    async def type_(self, type_id: int) -> EsiType:
        """Return a type."""
        return await self._one("/universe/types/{id}", f"/universe/types/{type_id:d}", EsiType)

    async def group(self, group_id: int) -> EsiGroup:
        """Return a group of types."""
        return await self._one("/universe/groups/{id}", f"/universe/groups/{group_id:d}", EsiGroup)

    async def category(self, category_id: int) -> EsiCategory:
        """Return a category of groups."""
        return await self._one("/universe/categories/{id}", f"/universe/categories/{category_id:d}", EsiCategory)

    async def market_prices(self) -> list[MarketPrice]:
        """Return CCP's prices of all types."""
        return await self._one("/markets/prices", "/markets/prices", list[MarketPrice])

    async def killmail(self, killmail_id: int, killmail_hash: str) -> bytes:
        """Return a killmail as sent. Raises Refused where the hash is not the killmail's.

        It is not kept: whoever asks stores it, and a repaired year would fill the cache with millions.
        """
        path = f"/killmails/{killmail_id:d}/{bytes.fromhex(killmail_hash).hex()}"
        return (await self._transport.get("/killmails/{id}/{hash}", path, is_kept=False)).body

    async def character_killmails(self, character_id: int, token: str, page: int) -> KillmailPage:
        """Return a page, from 1, of the character's killmails of the last 90 days, the newest first."""
        answer = await self._transport.get(
            "/characters/{id}/killmails/recent",
            f"/characters/{character_id:d}/killmails/recent",
            query={"page": str(page)},
            token=token,
        )
        refs = decode_json(answer.body, list[KillmailRef])
        return KillmailPage(refs=refs, pages=answer.pages, modified=answer.modified)

    def metrics(self) -> dict[str, int]:
        """Return how often each route had each outcome: a status, `cached` or `failed`."""
        return dict(sorted(self._transport.counts.items()))

    async def _one(self, route: str, path: str, shape: type[_Item]) -> _Item:
        found: _Item = decode_json((await self._transport.get(route, path)).body, shape)
        return found

    async def _bulk(self, path: str, ids: Sequence[int], shape: type[_Item]) -> list[_Item]:
        body = await self._transport.post(path, path, msgspec.json.encode(ids), msgspec.json.encode(ids[:1]))
        found: list[_Item] = decode_json(body, list[shape])  # type: ignore[valid-type]
        return found


def _as_incomplete(error: Malformed, body: bytes) -> Malformed:
    """Return the error with the character's name, where nothing but the corporation is missing; else as it is."""
    try:
        name = known_name(decode_json(body, Nowhere).name)
    except Malformed:
        return error
    return error if name is None else Incomplete(error.reason, error.path, name)


@asynccontextmanager
async def open_esi(settings: Settings, database: Database) -> AsyncIterator[EsiClient]:
    """Lend a client; what it asked is logged at the end."""
    async with open_session(settings) as session:
        session.headers["X-Compatibility-Date"] = COMPATIBILITY_DATE
        budget = Budget(database, settings.esi_requests_per_second)
        client = EsiClient(Transport(session, settings.esi_url, budget, database))
        try:
            await prune_answers(database)
        except DATABASE_ERRORS as error:
            log.warning("esi_cache_trouble", reason=str(error))
        try:
            yield client
        finally:
            if client.metrics():
                log.info("esi_asked", routes=client.metrics())
