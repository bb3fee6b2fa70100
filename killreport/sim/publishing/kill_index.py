"""Finds published mails by who and what was in them. Built when first asked, caught up at every question."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Iterator

import msgspec

from killreport.eve.universe import Universe
from killreport.killmail.mail.model import Killmail
from killreport.sim.publishing.packages import Packages
from killreport.sim.world.journal import FIRST_SEQUENCE, KillJournal, RecordKind

_DECODER = msgspec.json.Decoder(Killmail)
# Mails are made anew one by one; so many at a time keep the other requests alive.
_SLICE = 16

Key = tuple[str, int]


class KillIndex:
    """Sequence numbers by key: `kill:character`, `loss:corporation`, `system`, `region`, `type`, `war` and so on."""

    def __init__(self, journal: KillJournal, packages: Packages, universe: Universe) -> None:
        self._journal = journal
        self._packages = packages
        self._universe = universe
        self._next = FIRST_SEQUENCE
        self._found: dict[Key, array[int]] = {}
        self._catching_up = asyncio.Lock()

    async def find(self, key: Key) -> list[int]:
        """Return the numbers of the mails under a key, the newest publication first, each mail once."""
        async with self._catching_up:
            await self._catch_up()
        return list(reversed(self._found.get(key, ())))

    async def _catch_up(self) -> None:
        while self._next < self._journal.next_sequence:
            record = self._journal.get(self._next)
            if record is not None and record.kind in {RecordKind.GENERATED, RecordKind.CORPUS}:
                body = self._packages.mail(record)
                if body is not None:
                    for key in set(self._keys(_DECODER.decode(body))):
                        self._found.setdefault(key, array("Q")).append(record.sequence)
            self._next += 1
            if self._next % _SLICE == 0:
                await asyncio.sleep(0)

    def _keys(self, mail: Killmail) -> Iterator[Key]:
        victim = mail.victim
        yield from _party("loss", victim.character_id, victim.corporation_id, victim.alliance_id, victim.ship_type_id)
        for attacker in mail.attackers:
            yield from _party(
                "kill", attacker.character_id, attacker.corporation_id, attacker.alliance_id, attacker.ship_type_id
            )
        yield "system", mail.solar_system_id
        system = self._universe.systems.get(mail.solar_system_id)
        if system is not None:
            yield "region", system.region_id
        if mail.war_id is not None:
            yield "war", mail.war_id
        yield "all", 0


def _party(
    side: str, character_id: int | None, corporation_id: int | None, alliance_id: int | None, type_id: int | None
) -> Iterator[Key]:
    parts = (("character", character_id), ("corporation", corporation_id), ("alliance", alliance_id), ("type", type_id))
    for name, entity_id in parts:
        if entity_id is not None:
            yield f"{side}:{name}", entity_id
