"""Who lives in this New Eden: characters, their corporations and alliances, all following from ids and the seed.

Consistent by construction: a character's corporation and that corporation's alliance are what every answer says.
Ids outside the population (of a corpus, or asked for out of the blue) get an answer made from the id. What wins, in
this order: what somebody changed by hand, the newest mail served so far, what the corpus will say, what is made up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal, Protocol

from killreport.sim.world import names
from killreport.sim.world.chance import fraction, mix, pick_early
from killreport.sim.world.changes import Changes

FIRST_CHARACTER_ID = 2_112_000_001
FIRST_CORPORATION_ID = 98_600_001
FIRST_ALLIANCE_ID = 99_005_001
CHARACTERS = 40_000
CORPORATIONS = 6_800
ALLIANCES = 780

# The corporations newcomers start in and fall back to, and the four militias' own. Source: CCP's static data.
SCHOOLS = (1000044, 1000045, 1000077, 1000115, 1000165, 1000166, 1000167, 1000168, 1000169, 1000170, 1000171, 1000172)
MILITIAS = {1000179: 500003, 1000180: 500001, 1000181: 500004, 1000182: 500002}
_ENLISTED_FACTIONS = (500001, 500002, 500003, 500004, 500010, 500011)

EntityKind = Literal["character", "corporation", "alliance"]

_RANGES: tuple[tuple[int, int, EntityKind], ...] = (
    (1_000_000, 2_000_000, "corporation"),
    (3_000_000, 4_000_000, "character"),
    (90_000_000, 98_000_000, "character"),
    (98_000_000, 99_000_000, "corporation"),
    (99_000_000, 100_000_000, "alliance"),
    (100_000_000, 2**31 + 2**30, "character"),
)

_NAMES = {
    "character": names.character_name,
    "corporation": names.corporation_name,
    "alliance": names.alliance_name,
}

_EPOCH = datetime(2003, 5, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Affiliation:
    """Where a character belongs."""

    corporation_id: int
    alliance_id: int | None = None
    faction_id: int | None = None

    def fields(self) -> dict[str, int]:
        """Return what ESI's documents have of it: no key for what somebody does not belong to."""
        known = {"corporation_id": self.corporation_id, "alliance_id": self.alliance_id, "faction_id": self.faction_id}
        return {key: value for key, value in known.items() if value is not None}


class Party(Protocol):
    """A side of a mail: a victim or an attacker."""

    @property
    def character_id(self) -> int | None: ...
    @property
    def corporation_id(self) -> int | None: ...
    @property
    def alliance_id(self) -> int | None: ...
    @property
    def faction_id(self) -> int | None: ...


@dataclass
class Known:
    """What mails say of their characters and corporations, by the latest mail of each."""

    characters: dict[int, Affiliation] = field(default_factory=dict)
    corporations: dict[int, tuple[int | None, int | None]] = field(default_factory=dict)
    _latest: dict[int, int] = field(default_factory=dict)

    def note(self, parties: Iterable[Party], time: int) -> list[int]:
        """Remember where everybody belonged, unless a later mail said so already; return the corporations noted."""
        noted = []
        for party in parties:
            corporation_id = party.corporation_id
            if corporation_id is None:
                continue
            if party.character_id is not None and self._latest.get(party.character_id, -1) <= time:
                self._latest[party.character_id] = time
                home = Affiliation(corporation_id, party.alliance_id, party.faction_id)
                self.characters[party.character_id] = home
            if self._latest.get(-corporation_id, -1) <= time:
                self._latest[-corporation_id] = time
                self.corporations[corporation_id] = (party.alliance_id, party.faction_id)
                noted.append(corporation_id)
        return noted


def _since_launch(kind: int, entity_id: int, days: int) -> datetime:
    seconds = mix(kind, entity_id, 77) % (days * 86_400)
    return _EPOCH + timedelta(seconds=seconds)


class World:
    """The population, for one seed. Cheap to make; the lists of members are built when first asked for."""

    def __init__(self, seed: int, known: Known | None = None) -> None:
        """Use what a corpus says of its people, and make up the rest."""
        self.seed = seed
        self.known = known or Known()
        self.changes = Changes()
        self._served = Known()
        self._allegiances: dict[int, tuple[int | None, int | None]] = {}
        # The corporations that are not where they would be made up, and who has them now.
        self._settled: dict[int, int | None] = {}
        self._settlers: dict[int, set[int]] = {}
        for corporation_id in self.known.corporations:
            self._settle(corporation_id)

    def note_served(self, parties: Iterable[Party], time: int) -> None:
        """Let everybody of a real mail be where it says, unless a later one was served before. time: unix seconds."""
        for corporation_id in self._served.note(parties, time):
            self._settle(corporation_id)

    def change(self, changes: Changes) -> None:
        """Have these changes by hand instead of those before."""
        touched = {*self.changes.corporations, *changes.corporations}
        self.changes = changes
        for corporation_id in touched:
            self._settle(corporation_id)

    def _settle(self, corporation_id: int) -> None:
        alliance_id, _ = self.allegiance(corporation_id)
        before = self._settled.get(corporation_id)
        if before is not None:
            self._settlers[before].discard(corporation_id)
        self._settled[corporation_id] = alliance_id
        if alliance_id is not None:
            self._settlers.setdefault(alliance_id, set()).add(corporation_id)

    def affiliation(self, character_id: int) -> Affiliation:
        """Return where the character belongs now."""
        moved_to = self.changes.moved.get(character_id)
        if moved_to is not None:
            return Affiliation(moved_to, *self.allegiance(moved_to))
        home = (
            self._served.characters.get(character_id)
            or self.known.characters.get(character_id)
            or self.home_of(character_id)
        )
        if home.corporation_id in self.changes.corporations:
            return Affiliation(home.corporation_id, *self.allegiance(home.corporation_id))
        return home

    def home_of(self, character_id: int) -> Affiliation:
        """Return where the population has the character, whatever a corpus says: what generated mails show."""
        corporation_id = self._made_up_corporation(character_id)
        alliance_id, faction_id = self.made_up_allegiance(corporation_id)
        return Affiliation(corporation_id, alliance_id, faction_id)

    def allegiance(self, corporation_id: int) -> tuple[int | None, int | None]:
        """Return the corporation's alliance and the faction it is enlisted with; either may be None."""
        if corporation_id in self.changes.closed:
            return None, None
        if corporation_id in self.changes.joined:
            return self.changes.joined[corporation_id], None
        for known in (self._served, self.known):
            if (found := known.corporations.get(corporation_id)) is not None:
                return found
        return self.made_up_allegiance(corporation_id)

    def made_up_allegiance(self, corporation_id: int) -> tuple[int | None, int | None]:
        """Return alliance and faction as the population has them, whatever a corpus says."""
        found = self._allegiances.get(corporation_id)
        if found is None:
            found = self._allegiances[corporation_id] = self._make_up_allegiance(corporation_id)
        return found

    def _make_up_allegiance(self, corporation_id: int) -> tuple[int | None, int | None]:
        if corporation_id in MILITIAS:
            return None, MILITIAS[corporation_id]
        if corporation_id < 2_000_000:
            return None, None
        # One corporation in sixteen fights for a faction, and half of those outside of any alliance.
        enlisted = fraction(self.seed, 11, corporation_id)
        faction_id = _ENLISTED_FACTIONS[mix(self.seed, 12, corporation_id) % 6] if enlisted < 1 / 16 else None
        if enlisted < 1 / 32 or fraction(self.seed, 13, corporation_id) < 0.25:
            return None, faction_id
        return FIRST_ALLIANCE_ID + int(fraction(self.seed, 14, corporation_id) ** 2.2 * ALLIANCES), faction_id

    def _made_up_corporation(self, character_id: int) -> int:
        kind = fraction(self.seed, 21, character_id)
        if kind < 0.13:
            return self.school_of(character_id)
        if kind < 0.14:
            return tuple(MILITIAS)[mix(self.seed, 23, character_id) % len(MILITIAS)]
        return FIRST_CORPORATION_ID + int(fraction(self.seed, 24, character_id) ** 2.5 * CORPORATIONS)

    @cached_property
    def members(self) -> dict[int, list[int]]:
        """Return the population's characters by their corporation."""
        found: dict[int, list[int]] = {}
        for character_id in range(FIRST_CHARACTER_ID, FIRST_CHARACTER_ID + CHARACTERS):
            found.setdefault(self._made_up_corporation(character_id), []).append(character_id)
        return found

    @cached_property
    def corporations_of(self) -> dict[int, list[int]]:
        """Return the population's corporations by their alliance, the earliest first."""
        found: dict[int, list[int]] = {}
        for corporation_id in range(FIRST_CORPORATION_ID, FIRST_CORPORATION_ID + CORPORATIONS):
            alliance_id, _ = self.made_up_allegiance(corporation_id)
            if alliance_id is not None:
                found.setdefault(alliance_id, []).append(corporation_id)
        return found

    @cached_property
    def forces(self) -> list[list[int]]:
        """Return the fleets an alliance can raise, the largest first: its characters in one list each."""
        pools = [
            [
                character_id
                for corporation_id in corporation_ids
                for character_id in self.members.get(corporation_id, ())
            ]
            for corporation_ids in self.corporations_of.values()
        ]
        return sorted((pool for pool in pools if len(pool) >= 25), key=len, reverse=True)

    def anybody(self, unit: float) -> int:
        """Return a character of the population; some are seen far more often than others."""
        return FIRST_CHARACTER_ID + (pick_early(range(CHARACTERS), unit, 3.0) * 7919) % CHARACTERS

    def alliance_ids(self) -> list[int]:
        """Return every alliance that has a corporation, in order."""
        settled = self._settled
        ours = {i for i, members in self.corporations_of.items() if any(member not in settled for member in members)}
        return sorted((ours | {i for i, members in self._settlers.items() if members}) - self.changes.gone)

    def alliance_corporations(self, alliance_id: int) -> list[int]:
        """Return the alliance's corporations, in order; one that is closed has none."""
        ours = {i for i in self.corporations_of.get(alliance_id, ()) if i not in self._settled}
        return sorted((ours | self._settlers.get(alliance_id, set())) - self.changes.gone)

    def name_of(self, kind: EntityKind, entity_id: int) -> str:
        """Return the name of a character, an alliance or a players' corporation."""
        renamed = self.changes.renamed.get(entity_id)
        return renamed if renamed is not None else _NAMES[kind](entity_id)

    def character_born(self, character_id: int) -> datetime:
        """Return when the character was made."""
        return _since_launch(1, character_id, 8_000)

    def corporation_founded(self, corporation_id: int) -> datetime:
        """Return when the corporation was founded."""
        return _since_launch(2, corporation_id, 8_000)

    def alliance_founded(self, alliance_id: int) -> datetime:
        """Return when the alliance was founded."""
        return _since_launch(3, alliance_id, 8_000)

    def school_of(self, character_id: int) -> int:
        """Return the corporation a character was born into."""
        return SCHOOLS[mix(self.seed, 22, character_id) % len(SCHOOLS)]

    def leader_of(self, corporation_id: int) -> int:
        """Return who leads a corporation: its first member, or somebody made up where it has none here."""
        members = self.members.get(corporation_id)
        return members[0] if members else FIRST_CHARACTER_ID + CHARACTERS + mix(32, corporation_id) % 1_000_000

    def kind_of(self, entity_id: int) -> EntityKind | None:
        """Return what an id stands for: what a corpus says it is, else what its range says.

        Ids from 100,000,000 to 2,099,999,999 were given to all three kinds until 2010: unknown ones are characters.
        Source: https://developers.eveonline.com/docs/guides/id-ranges/
        """
        if entity_id in self.changes.gone:
            return None
        if entity_id in self.known.characters:
            return "character"
        if entity_id in self.known.corporations:
            return "corporation"
        if entity_id in self._known_alliances:
            return "alliance"
        for first, end, kind in _RANGES:
            if first <= entity_id < end:
                return kind
        return None

    @cached_property
    def _known_alliances(self) -> frozenset[int]:
        named = (home.alliance_id for home in self.known.characters.values())
        holding = (alliance_id for alliance_id, _ in self.known.corporations.values())
        return frozenset(i for i in (*named, *holding) if i is not None)
