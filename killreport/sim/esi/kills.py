"""ESI's killmails and what is counted from them, wars, and whether the server is up."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from killreport.ids import read_whole
from killreport.sim.answers import ErrorAnswer
from killreport.sim.esi.answering import OLDEST_DATE, Bucket, Call, Paged, Route, esi_time
from killreport.sim.publishing.kill_index import KillIndex
from killreport.sim.simulator import Simulator
from killreport.sim.world.chance import mix
from killreport.sim.world.generator import FIRST_WAR_ID, WARS
from killreport.sim.world.journal import RecordKind
from killreport.sim.world.people import CORPORATIONS, FIRST_CORPORATION_ID

_KILLMAIL = Bucket("killmail", 3600)
_STATUS = Bucket("status", 600)
_META = Bucket("meta", 150)
_HOUR = 3600
_LIST_SIZE = 2000
_CAPSULE_GROUP_ID = 29
# The dates at which an answer of this simulator changes its shape.
_DATES = (OLDEST_DATE, date(2026, 6, 9), date(2026, 7, 21), date(2026, 8, 4), date(2026, 8, 18), date(2026, 9, 14))

Body = dict[str, Any]


class Kills:
    """Answers that come from what was published."""

    def __init__(self, simulator: Simulator, index: KillIndex) -> None:
        self._simulator = simulator
        self._index = index
        self._started = simulator.now()
        self._counted: tuple[int, list[Body]] = (-1, [])

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("GET", r"/killmails/{id:\d+}/{hash:[^/]+}", self._killmail, 2_592_000, _KILLMAIL),
            Route("GET", "/universe/system_kills", self._system_kills, _HOUR),
            Route("GET", "/wars", self._wars, _HOUR, _KILLMAIL),
            Route("GET", r"/wars/{id:\d+}", self._war, _HOUR, _KILLMAIL),
            Route("GET", r"/wars/{id:\d+}/killmails", self._war_killmails, _HOUR, _KILLMAIL),
            Route("GET", "/status", self._status, 30, _STATUS),
            Route("GET", "/meta/compatibility-dates", self._dates, 600, _META),
        ]

    def _killmail(self, call: Call) -> bytes:
        record = self._simulator.packages.find(call.number("id"))
        is_its = record is not None and record.hash.hex() == call.request.match_info["hash"].lower()
        mail = self._simulator.packages.mail(record) if record is not None and is_its else None
        if mail is None:
            raise ErrorAnswer(422, "Invalid killmail_id and/or killmail_hash")
        return mail

    def _system_kills(self, _call: Call) -> list[Body]:
        """Return the counts of the last full hour; they change when their cache runs out, not before."""
        hour = int(self._simulator.now()) // _HOUR
        if self._counted[0] != hour:
            self._counted = hour, self._count(hour * _HOUR)
        return self._counted[1]

    def _count(self, until: int) -> list[Body]:
        counts: Counter[tuple[int, str]] = Counter()
        systems: set[int] = set()
        for day in {(until - _HOUR) // 86_400, (until - 1) // 86_400}:
            for record in self._simulator.journal.of_day(day):
                mail = self._simulator.packages.mail(record) if until - _HOUR <= record.killmail_time < until else None
                if mail is not None:
                    document = msgspec.json.decode(mail)
                    group_id = self._simulator.universe.group_id_of(document["victim"]["ship_type_id"])
                    kind = "pod_kills" if group_id == _CAPSULE_GROUP_ID else "ship_kills"
                    systems.add(document["solar_system_id"])
                    counts[document["solar_system_id"], kind] += 1
        return [
            {
                "npc_kills": mix(140, system_id, until) % 300,
                "pod_kills": counts[system_id, "pod_kills"],
                "ship_kills": counts[system_id, "ship_kills"],
                "system_id": system_id,
            }
            for system_id in sorted(systems)
        ]

    def _wars(self, call: Call) -> list[int]:
        text = call.request.query.get("max_war_id", str(FIRST_WAR_ID + WARS))
        wanted = read_whole(text)
        if wanted is None:
            raise ErrorAnswer(400, "max_war_id must be a number")
        newest = min(wanted, FIRST_WAR_ID + WARS) - 1
        return list(range(newest, max(newest - _LIST_SIZE, FIRST_WAR_ID - 1), -1))

    def _require_war(self, call: Call) -> int:
        war_id = call.number("id")
        if not FIRST_WAR_ID <= war_id < FIRST_WAR_ID + WARS:
            raise ErrorAnswer(422, "War not found")
        return war_id

    def _war(self, call: Call) -> Body:
        war_id = self._require_war(call)
        declared = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=war_id - FIRST_WAR_ID)
        return {
            "aggressor": _side(war_id, 1),
            "declared": esi_time(declared),
            "defender": _side(war_id, 2),
            "id": war_id,
            "mutual": False,
            "open_for_allies": True,
            "started": esi_time(declared + timedelta(days=1)),
        }

    async def _war_killmails(self, call: Call) -> Paged:
        sequences = await self._index.find(("war", self._require_war(call)))
        records = [self._simulator.journal.get(sequence) for sequence in sequences]
        rows = [
            {"killmail_hash": record.hash.hex(), "killmail_id": record.killmail_id}
            for record in records
            if record is not None and record.kind is not RecordKind.GAP
        ]
        return call.page_of(rows, _LIST_SIZE)

    def _status(self, _call: Call) -> Body:
        return {
            "players": 18_000 + mix(141, int(self._simulator.now()) // 30) % 9_000,
            "server_version": str(self._simulator.universe.build_number),
            "start_time": esi_time(datetime.fromtimestamp(self._started, UTC)),
            "vip": False,
        }

    def _dates(self, _call: Call) -> Body:
        return {"compatibility_dates": [day.isoformat() for day in reversed(_DATES)]}


def _side(war_id: int, side: int) -> Body:
    return {
        "corporation_id": FIRST_CORPORATION_ID + mix(142, war_id, side) % CORPORATIONS,
        "isk_destroyed": float(mix(143, war_id, side) % 10**10),
        "ships_killed": mix(144, war_id, side) % 50,
    }
