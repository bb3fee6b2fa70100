"""Makes killmails up: what a sequence number holds follows from seed, number and time, and from nothing else.

So every package can be made again after a restart without having been kept. Neighbouring numbers share their battles:
a block of them has two, each in one system between two alliances, and a capsule often follows the ship it came out of.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from killreport.eve.universe import Type, Universe
from killreport.sim.world import hulls
from killreport.sim.world.chance import Quantiles, Weighted, fraction, mix, pick_early, stream
from killreport.sim.world.fitting import Outfitter
from killreport.sim.world.hulls import CAPSULE, NPC_GROUPS, VICTIM_GROUPS, VictimGroup
from killreport.sim.world.journal import FIRST_SEQUENCE
from killreport.sim.world.people import Affiliation, World
from killreport.sim.world.space import SystemsBySecurity

# Far above any id the game has given out, so that made-up and real kills can share a database.
FIRST_KILLMAIL_ID = 1_000_000_000
_ID_STRIDE = 3
FIRST_WAR_ID = 740_000
WARS = 20_000

_BLOCK = 64
_SMALL_BLOCK = 8

_PLAYERS = Quantiles([
    (0, 1), (0.43, 1.99), (0.58, 3), (0.72, 4), (0.885, 9.5), (0.942, 18), (0.9885, 60), (0.9988, 210), (1, 620),
])  # fmt: skip
_SECURITY = ((0.0, -10.0), (0.05, -9.9), (0.09, -5.0), (0.25, -0.5), (0.5, 2.5), (0.75, 5.0), (1.0, 5.0))
_CAPSULE_HULLS = frozenset({"Capsule", "Capsule - Genolution 'Auroral' 197-variant"})


@dataclass(frozen=True)
class _Scene:
    """What the rows of a mail are made from."""

    system_id: int
    space: str
    group: VictimGroup
    hull: Type
    victim_id: int | None
    victim_corporation_id: int
    players: list[int]
    npcs: list[dict[str, Any]]


class Generator:
    """The source of made-up killmails for one seed."""

    def __init__(self, universe: Universe, world: World) -> None:
        """Index what the universe offers; the world gives the seed."""
        self._universe = universe
        self._world = world
        self.seed = world.seed
        self._space = SystemsBySecurity(universe, world.seed)
        self._outfitter = Outfitter(universe)
        self._groups = Weighted(
            [(group, group.share) for group in VICTIM_GROUPS if self._outfitter.types_of(group.name)]
        )
        self._attacker_groups = Weighted([(name, n) for name, n in hulls.ATTACKER_GROUPS if self._hulls(name)])
        self._npc_types = self._index_npcs()

    def generate(self, sequence: int, time: int, *, players: int | None = None) -> dict[str, Any]:
        """Return the mail of a sequence number as ESI would give it, killed at `time` (unix seconds).

        players: so many attackers instead of as many as the game's distribution gives; from 1 to some thousands.
        The same arguments give the same mail for ever; its killmail id follows from the sequence number alone.
        """
        scene = self._scene(sequence) if players is None else self._own_scene(sequence, self._group(sequence), players)
        roll = stream(self.seed, 50, sequence)
        damage = self._damage(scene.group, roll)
        mail: dict[str, Any] = {
            "attackers": self._attackers(scene, damage, roll),
            "killmail_id": killmail_id_of(sequence),
            "killmail_time": datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "solar_system_id": scene.system_id,
            "victim": self._victim(scene, damage, roll),
        }
        if scene.players and scene.space == "highsec" and roll.random() < 0.1:
            mail["war_id"] = FIRST_WAR_ID + mix(self.seed, 51, sequence) % WARS
        return mail

    def _index_npcs(self) -> dict[str, Weighted[tuple[int, int | None, int | None]]]:
        by_group: dict[str, list[int]] = {}
        for kind in self._universe.types.values():
            group = self._universe.groups.get(kind.group_id)
            if group is not None:
                by_group.setdefault(group.name, []).append(kind.type_id)
        found = {}
        for space, rows in NPC_GROUPS.items():
            choices = [
                ((type_id, faction_id, corporation_id), weight / len(by_group[name]))
                for name, weight, faction_id, corporation_id in rows
                for type_id in by_group.get(name, ())
            ]
            found[space] = Weighted(choices)
        return found

    def _hulls(self, group_name: str) -> list[Type]:
        types = self._outfitter.types_of(group_name)
        if group_name == CAPSULE:
            return [kind for kind in types if kind.name in _CAPSULE_HULLS]
        return types

    def _draw_hull(self, group_name: str, roll: random.Random) -> Type:
        # Hulls of a group are far from equally common; the static data's order, oldest first, serves as a guess.
        return pick_early(self._hulls(group_name), roll.random(), 1.7)

    def _group(self, sequence: int) -> VictimGroup:
        return self._groups.draw(fraction(self.seed, 60, sequence))

    def _scene(self, sequence: int) -> _Scene:
        group = self._group(sequence)
        if group.name == CAPSULE and sequence % _SMALL_BLOCK and fraction(self.seed, 61, sequence) < 0.75:
            before = self._group(sequence - 1)
            if before.name not in {CAPSULE, "Shuttle"} and before.character and before.outfit not in {"bare", "loot"}:
                return self._capsule_after(self._own_scene(sequence - 1, before), group, sequence)
        return self._own_scene(sequence, group)

    def _capsule_after(self, ship: _Scene, group: VictimGroup, sequence: int) -> _Scene:
        """Return the same fight a moment later: the pilot's capsule, and those who got a shot at it."""
        roll = stream(self.seed, 62, sequence)
        players = roll.sample(ship.players, 1 + int(len(ship.players) ** 0.7 * roll.random())) if ship.players else []
        hull = self._draw_hull(CAPSULE, roll)
        npcs = [] if players else ship.npcs
        return _Scene(
            ship.system_id, ship.space, group, hull, ship.victim_id, ship.victim_corporation_id, players, npcs
        )

    def _own_scene(self, sequence: int, group: VictimGroup, players: int | None = None) -> _Scene:
        roll = stream(self.seed, 63, sequence)
        npc_only = roll.random() < group.npc_share and players is None
        space = self._space.draw_kind(roll.random())
        if npc_only and group.name in hulls.ABYSSAL_GROUPS and roll.random() < 0.5:
            space = "abyssal"
        drawn = max(1, int(_PLAYERS.draw(roll.random() ** (1 / group.gang))))
        count = 0 if npc_only else drawn if players is None else players
        if count >= 5 and roll.random() < 0.8:
            system_id, space, pool, victims = self._battle(sequence, roll)
        else:
            system_id = self._space.draw(space, roll).solar_system_id
            pool, victims = self._gang(count, roll), None
        shooters = self._muster(pool, count, roll)
        victim_id = roll.choice(victims) if victims else self._lone_victim(shooters, roll)
        if victim_id in shooters:
            victim_id = self._world.anybody(roll.random())
        npcs = self._npcs(space, alone=npc_only, roll=roll, count=count)
        if shooters == [victim_id] and not npcs:
            victim_id = self._somebody_else(victim_id, sequence)
        return _Scene(
            system_id,
            space,
            group,
            self._draw_hull(group.name, roll),
            victim_id if group.character else None,
            self._world.home_of(victim_id).corporation_id,
            [shooter for shooter in shooters if shooter != victim_id],
            npcs,
        )

    def _battle(self, sequence: int, roll: random.Random) -> tuple[int, str, list[int], list[int]]:
        """Return system, kind of space and the two sides, attackers first; either side may be shooting."""
        battle = stream(self.seed, 64, sequence // _BLOCK, roll.random() < 0.4)
        space = self._space.draw_kind(battle.random())
        system_id = self._space.draw(space, battle).solar_system_id
        forces = self._world.forces
        ours, theirs = pick_early(forces, battle.random(), 2.0), pick_early(forces, battle.random(), 1.5)
        if roll.random() < 0.3:
            ours, theirs = theirs, ours
        return system_id, space, ours, theirs

    def _gang(self, count: int, roll: random.Random) -> list[int]:
        """Return whom a lone hunter flies with: the people of one corporation."""
        hunter = self._world.anybody(roll.random())
        if count <= 1:
            return [hunter]
        mates = self._world.members.get(self._world.home_of(hunter).corporation_id, [])
        return [hunter, *mates]

    def _muster(self, pool: list[int], count: int, roll: random.Random) -> list[int]:
        """Return `count` different pilots, of the pool as far as it reaches."""
        chosen = roll.sample(pool, min(count, len(pool)))
        seen = set(chosen)
        while len(seen) < count:
            seen.add(self._world.anybody(roll.random()))
        return [*dict.fromkeys(chosen), *sorted(seen.difference(chosen))]

    def _lone_victim(self, players: list[int], roll: random.Random) -> int:
        # Now and then somebody shoots one of their own.
        if players and roll.random() < 0.02:
            mates = self._world.members.get(self._world.home_of(players[0]).corporation_id, [])
            return roll.choice(mates or players)
        return self._world.anybody(roll.random())

    def _somebody_else(self, character_id: int, sequence: int) -> int:
        """Return another one: who is alone with a kill cannot be its victim too, or nobody would have shot.

        Drawn from a stream of its own, so that every mail that was whole before stays the mail it was.
        """
        roll = stream(self.seed, 67, sequence)
        while (found := self._world.anybody(roll.random())) == character_id:
            pass
        return found

    def _npcs(self, space: str, *, alone: bool, roll: random.Random, count: int) -> list[dict[str, Any]]:
        if not alone and roll.random() >= (0.16 if count == 1 else 0.1):
            return []
        rows = 1
        while alone and roll.random() < 0.2:
            rows += 1
        first = self._npc_types[space].draw(roll.random())
        kinds = [first] + [self._npc_types[space].draw(roll.random()) for _ in range(rows - 1)]
        return [self._npc(kind, roll) for kind in kinds]

    @staticmethod
    def _npc(kind: tuple[int, int | None, int | None], roll: random.Random) -> dict[str, Any]:
        type_id, faction_id, corporation_id = kind
        row: dict[str, Any] = {"security_status": 0.0, "ship_type_id": type_id}
        if corporation_id is not None:
            row["corporation_id"] = corporation_id
        elif faction_id is not None and roll.random() < 0.95:
            row["faction_id"] = faction_id
        return row

    @staticmethod
    def _damage(group: VictimGroup, roll: random.Random) -> int:
        low, high = group.damage
        spread = (high / low) ** (roll.gauss(0.5, 0.35))
        return max(1, int(low * spread))

    def _victim(self, scene: _Scene, damage: int, roll: random.Random) -> dict[str, Any]:
        corporation_id = scene.victim_corporation_id
        home = Affiliation(corporation_id, *self._world.made_up_allegiance(corporation_id))
        victim: dict[str, Any] = home.fields() | {"damage_taken": 0 if roll.random() < 0.008 else damage}
        if scene.victim_id is not None:
            victim["character_id"] = scene.victim_id
        rows = self._outfitter.rows(scene.hull, scene.group, roll)
        if rows:
            victim["items"] = rows
        victim["position"] = {axis: round(roll.gauss(0, 4e11), 4) for axis in ("x", "y", "z")}
        victim["ship_type_id"] = scene.hull.type_id
        return dict(sorted(victim.items()))

    def _attackers(self, scene: _Scene, damage: int, roll: random.Random) -> list[dict[str, Any]]:
        """Return the rows in the game's order, the most damage first; the parts sum to the whole."""
        rows = [self._player(character_id, roll) for character_id in scene.players]
        if not rows or scene.npcs:
            rows += [dict(row) for row in scene.npcs]
        weights = [0.0 if roll.random() < 0.2 and len(rows) > 1 else roll.expovariate(1.0) for _ in rows]
        whole = sum(weights) or 1.0
        for row, weight in zip(rows, weights, strict=True):
            row["damage_done"] = int(damage * weight / whole)
            row["final_blow"] = False
        rows[0]["damage_done"] += damage - sum(row["damage_done"] for row in rows)
        # The final blow is a player's wherever there is one, all but always.
        rows[roll.randrange(max(1, len(scene.players)))]["final_blow"] = True
        rows.sort(key=lambda row: row["damage_done"], reverse=True)
        return [dict(sorted(row.items())) for row in rows]

    def _player(self, character_id: int, roll: random.Random) -> dict[str, Any]:
        row: dict[str, Any] = {
            "character_id": character_id,
            "security_status": self.security_status(character_id),
            **self._world.home_of(character_id).fields(),
        }
        if roll.random() < 0.985:
            hull = self._draw_hull(self._attacker_groups.draw(roll.random()), roll)
            row["ship_type_id"] = hull.type_id
            row["weapon_type_id"] = self._outfitter.weapon_of(hull, roll)
        return row

    def security_status(self, character_id: int) -> float:
        """Return a character's standing with CONCORD, one decimal, the same in every mail."""
        unit = fraction(self.seed, 65, character_id)
        for (low, low_value), (high, high_value) in itertools.pairwise(_SECURITY):
            if unit <= high:
                return round(low_value + (unit - low) / (high - low) * (high_value - low_value), 1)
        return 5.0


def killmail_id_of(sequence: int) -> int:
    """Return the killmail id of a made-up mail: rising with the sequence number, not in step with it."""
    return FIRST_KILLMAIL_ID + (sequence - FIRST_SEQUENCE) * _ID_STRIDE + mix(sequence, 66) % _ID_STRIDE


def sequence_of(killmail_id: int) -> int | None:
    """Return which sequence number holds this made-up mail; None where no number does."""
    sequence = FIRST_SEQUENCE + (killmail_id - FIRST_KILLMAIL_ID) // _ID_STRIDE
    return sequence if killmail_id >= FIRST_KILLMAIL_ID and killmail_id_of(sequence) == killmail_id else None
