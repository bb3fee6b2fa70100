"""ESI's characters, corporations and alliances, and names for ids and ids for names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from killreport.eve.universe import Universe
from killreport.sim.answers import ErrorAnswer
from killreport.sim.esi.answering import Call, Route, esi_time
from killreport.sim.simulator import Simulator
from killreport.sim.world import names
from killreport.sim.world.chance import fraction, mix
from killreport.sim.world.people import (
    CHARACTERS,
    CORPORATIONS,
    FIRST_CHARACTER_ID,
    FIRST_CORPORATION_ID,
    EntityKind,
)

_MAX_IDS, _MAX_NAMES = 1000, 500
_ACHIEVEMENTS_SINCE = date(2026, 6, 9)
_TITLES_SINCE = date(2026, 8, 4)
_TAX_RATES_SINCE = date(2026, 7, 21)
_HOME_STATION_ID = 60003760
# Until 2026-07-21 a closed corporation was led by "EVE System".
_NO_CEO_ID = 1
# Doomheim, which has whoever was deleted. Source: its description in ESI, "used for characters in graveyard".
_GRAVEYARD_ID = 1000001
# Race of each bloodline a player can choose. Source: CCP's static data.
_RACES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 8, 8: 8, 11: 1, 12: 8, 13: 4, 14: 2}

Body = dict[str, Any]


class Entities:
    """Answers about who is who; every id of a player's range has an answer."""

    def __init__(self, simulator: Simulator) -> None:
        self._universe: Universe = simulator.universe
        self._world = simulator.world
        self._generator = simulator.generator
        # What has a name and never changes, with its category as a name's and as a list's.
        self._static: tuple[tuple[str, str, Mapping[int, Any]], ...] = (
            ("inventory_type", "inventory_types", self._universe.types),
            ("solar_system", "systems", self._universe.systems),
            ("constellation", "constellations", self._universe.constellations),
            ("region", "regions", self._universe.regions),
            ("faction", "factions", self._universe.factions),
        )

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("GET", r"/characters/{id:\d+}", self._character, 86_400),
            Route("GET", r"/characters/{id:\d+}/corporationhistory", self._character_history, 86_400),
            Route("POST", "/characters/affiliation", self._affiliation, 3600),
            Route("GET", r"/corporations/{id:\d+}", self._corporation, 3600),
            Route("GET", r"/corporations/{id:\d+}/alliancehistory", self._corporation_history, 3600),
            Route("GET", "/alliances", lambda _call: self._world.alliance_ids(), 3600),
            Route("GET", r"/alliances/{id:\d+}", self._alliance, 3600),
            Route("GET", r"/alliances/{id:\d+}/corporations", self._alliance_corporations, 3600),
            Route("POST", "/universe/names", self._names, 3600),
            Route("POST", "/universe/ids", self._ids, 3600),
        ]

    def _require(self, call: Call, kind: str) -> int:
        entity_id = call.number("id")
        if self._world.kind_of(entity_id) != kind:
            raise ErrorAnswer(404, f"{kind.capitalize()} not found")
        return entity_id

    def _character(self, call: Call) -> Body:
        character_id = self._require(call, "character")
        if character_id in self._world.changes.biomassed:
            raise ErrorAnswer(404, "Character has been deleted!")
        home = self._world.affiliation(character_id)
        bloodline_id = tuple(_RACES)[mix(101, character_id) % len(_RACES)]
        body: Body = {
            "birthday": esi_time(self._world.character_born(character_id)),
            "bloodline_id": bloodline_id,
            "description": "",
            "gender": ("male", "female")[mix(102, character_id) % 2],
            "name": self._world.name_of("character", character_id),
            "race_id": _RACES[bloodline_id],
            "security_status": self._generator.security_status(character_id),
            **home.fields(),
        }
        if call.compatibility_date >= _ACHIEVEMENTS_SINCE:
            body["achievement_score"] = mix(103, character_id) % 5000
        if fraction(104, character_id) < 0.2:
            title = "corporation_title" if call.compatibility_date >= _TITLES_SINCE else "title"
            body[title] = ("Fleet Commander", "Recruit", "Quartermaster")[mix(105, character_id) % 3]
        return body

    def _character_history(self, call: Call) -> list[Body]:
        character_id = self._require(call, "character")
        born = self._world.character_born(character_id)
        home = self._world.affiliation(character_id)
        school = self._world.school_of(character_id)
        rows = [{"corporation_id": school, "record_id": mix(106, character_id) % 10**8, "start_date": esi_time(born)}]
        if home.corporation_id != school:
            joined = born + timedelta(days=1 + mix(107, character_id) % 400)
            record_id = 10**8 + mix(106, character_id) % 10**8
            later = {"corporation_id": home.corporation_id, "record_id": record_id, "start_date": esi_time(joined)}
            rows.insert(0, later)
        return rows

    async def _affiliation(self, call: Call) -> list[Body]:
        ids = _checked_ids(await call.body(list[int]))
        if any(self._world.kind_of(character_id) != "character" for character_id in ids):
            raise ErrorAnswer(404, "Ensure all IDs are valid before resolving.")
        return [self._affiliation_row(character_id) for character_id in ids]

    def _affiliation_row(self, character_id: int) -> Body:
        if character_id in self._world.changes.biomassed:
            return {"character_id": character_id, "corporation_id": _GRAVEYARD_ID}
        return {"character_id": character_id, **self._world.affiliation(character_id).fields()}

    def _corporation(self, call: Call) -> Body:
        corporation_id = self._require(call, "corporation")
        npc = self._universe.corporations.get(corporation_id)
        alliance_id, faction_id = self._world.allegiance(corporation_id)
        is_closed = corporation_id in self._world.changes.closed
        leader = self._world.leader_of(corporation_id)
        members = 0 if is_closed else max(1, len(self._world.members.get(corporation_id, ())))
        body: Body = {
            "creator_id": leader,
            "date_founded": esi_time(self._world.corporation_founded(corporation_id)),
            "description": "",
            "home_station_id": _HOME_STATION_ID,
            "member_count": members,
            "name": self._name_of("corporation", corporation_id),
            "shares": 1000,
            "ticker": names.ticker(corporation_id) if npc is None else npc.ticker,
            "url": "",
            "war_eligible": npc is None and not is_closed and fraction(108, corporation_id) < 0.5,
        }
        if alliance_id is not None:
            body["alliance_id"] = alliance_id
        tax = mix(109, corporation_id) % 16
        if call.compatibility_date < _TAX_RATES_SINCE:
            body |= {"ceo_id": _NO_CEO_ID if is_closed else leader, "tax_rate": tax / 100}
            return body | ({} if faction_id is None else {"faction_id": faction_id})
        body |= {
            "friendly_fire": "legal",
            "state": "closed" if is_closed else "active",
            "tax_rates": {"isk": float(tax), "loyalty_point": 0.0},
            "type": "player_owned" if npc is None else "npc_owned",
        }
        body |= {} if is_closed else {"ceo_id": leader}
        return body | ({} if faction_id is None else {"enlisted_faction_id": faction_id})

    def _corporation_history(self, call: Call) -> list[Body]:
        corporation_id = self._require(call, "corporation")
        founded = self._world.corporation_founded(corporation_id)
        alliance_id, _ = self._world.allegiance(corporation_id)
        record_id = mix(110, corporation_id) % 10**6
        rows: list[Body] = [{"record_id": record_id, "start_date": esi_time(founded)}]
        if alliance_id is not None:
            joined = founded + timedelta(days=1 + mix(111, corporation_id) % 300)
            rows.insert(0, {"alliance_id": alliance_id, "record_id": record_id + 10**6, "start_date": esi_time(joined)})
        return rows

    def _alliance(self, call: Call) -> Body:
        alliance_id = self._require(call, "alliance")
        corporations = self._world.alliance_corporations(alliance_id)
        founder = corporations[0] if corporations else FIRST_CORPORATION_ID + mix(112, alliance_id) % CORPORATIONS
        body: Body = {
            "creator_corporation_id": founder,
            "creator_id": self._world.leader_of(founder),
            "date_founded": esi_time(self._world.alliance_founded(alliance_id)),
            "name": self._world.name_of("alliance", alliance_id),
            "ticker": names.ticker(alliance_id),
        }
        # One that is closed has no corporation to lead it.
        return body | ({"executor_corporation_id": founder} if corporations else {})

    def _alliance_corporations(self, call: Call) -> list[int]:
        return self._world.alliance_corporations(self._require(call, "alliance"))

    async def _names(self, call: Call) -> list[Body]:
        rows = [self._named(entity_id) for entity_id in _checked_ids(await call.body(list[int]))]
        if None in rows:
            raise ErrorAnswer(404, "Ensure all IDs are valid before resolving.")
        return [row for row in rows if row is not None]

    def _named(self, entity_id: int) -> Body | None:
        for category, _, rows in self._static:
            if entity_id in rows:
                return {"category": category, "id": entity_id, "name": rows[entity_id].name}
        kind = self._world.kind_of(entity_id)
        return None if kind is None else {"category": kind, "id": entity_id, "name": self._name_of(kind, entity_id)}

    def _name_of(self, kind: EntityKind, entity_id: int) -> str:
        npc = self._universe.corporations.get(entity_id)
        return self._world.name_of(kind, entity_id) if npc is None else npc.name

    async def _ids(self, call: Call) -> dict[str, list[Body]]:
        wanted = await call.body(list[str])
        if not 1 <= len(wanted) <= _MAX_NAMES or any(not 1 <= len(name) <= 100 for name in wanted):
            raise ErrorAnswer(400, f"Between 1 and {_MAX_NAMES} names of 1 to 100 letters are allowed")
        found: dict[str, list[Body]] = {}
        for name in dict.fromkeys(wanted):
            for category, entity_id, true_name in self._by_name.get(name.casefold(), ()):
                found.setdefault(category, []).append({"id": entity_id, "name": true_name})
        return found

    @cached_property
    def _by_name(self) -> dict[str, list[tuple[str, int, str]]]:
        """Return everything that has a name and belongs here, by its name in small letters."""
        universe, world = self._universe, self._world
        rows: list[tuple[str, int, str]] = [
            *(
                (word, i, row.name)
                for category, word, rows in self._static
                for i, row in rows.items()
                if category != "inventory_type" or row.is_published
            ),
            *(("corporations", i, corporation.name) for i, corporation in universe.corporations.items()),
            *(("alliances", i, names.alliance_name(i)) for i in world.alliance_ids()),
            *(("corporations", i, names.corporation_name(i)) for i in world.members if i not in universe.corporations),
            *(
                ("characters", i, names.character_name(i))
                for i in range(FIRST_CHARACTER_ID, FIRST_CHARACTER_ID + CHARACTERS)
            ),
        ]
        found: dict[str, list[tuple[str, int, str]]] = {}
        for row in rows:
            found.setdefault(row[2].casefold(), []).append(row)
        return found


def _checked_ids(ids: list[int]) -> list[int]:
    if not 1 <= len(ids) <= _MAX_IDS:
        raise ErrorAnswer(400, f"Between 1 and {_MAX_IDS} ids are allowed")
    if len(set(ids)) != len(ids):
        raise ErrorAnswer(400, "The ids must be unique")
    return ids
