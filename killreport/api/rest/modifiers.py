"""The path of zKillboard's API for lists, taken apart: `/api/kills/characterID/268946627/page/2/`.

Source: zKillboard's `classes/Util.php` (convertUriToParameters) and its wiki page "API (Killmails)". More is allowed
here than there: several ids with commas between, `startTime`, `endTime`, `no-items` and `no-attackers` were taken away
there because of their cost, which here is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from killreport.errors import Refused
from killreport.ids import read_whole

MAX_IDS = 10
MAX_MODIFIERS = 20
MAX_SECONDS = 7 * 86_400
HOUR = 3_600
ISK_STEP = 500_000_000
FIRST_YEAR = 2007

# What they are called in `killreport.killmail.filters.table`: those that can be on either side, and the places.
PARTIES = {
    "characterID": "character", "corporationID": "corporation", "allianceID": "alliance", "factionID": "faction",
    "shipTypeID": "shipType", "shipID": "shipType", "groupID": "shipGroup",
}  # fmt: skip
PLACES = {
    "systemID": "system", "solarSystemID": "system", "constellationID": "constellation", "regionID": "region",
    "warID": "war",
}  # fmt: skip
SPACES = ("highsec", "lowsec", "nullsec", "w-space", "abyssal")
FLAGS = (
    "kills",
    "losses",
    "solo",
    "ganked",
    "finalblow-only",
    "pretty",
    "zkbOnly",
    "no-items",
    "no-attackers",
    *SPACES,
)
NUMBERS = ("npc", "awox", "year", "month", "pastSeconds", "iskValue", "killID", "page", "startTime", "endTime", "label")
IGNORED = ("json",)
_GONE = ("beforeKillID", "afterKillID", "limit", "orderDirection", "asc", "desc", "xml", "locationID")


@dataclass(slots=True)
class Query:
    """What a path asks for. parties and places: ids by zKillboard's name. values: the text of everything else."""

    flags: set[str] = field(default_factory=set)
    parties: dict[str, list[int]] = field(default_factory=dict)
    places: dict[str, list[int]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)

    @property
    def page(self) -> int:
        """Return the page, from 1."""
        return _number("page", self.values.get("page", "1"))

    @property
    def killmail_id(self) -> int | None:
        """Return the one killmail that is asked for."""
        text = self.values.get("killID")
        return None if text is None else _number("killID", text)

    def plain_filter(self, now: datetime) -> dict[str, Any]:
        """Return the filter as `KillmailFilter.read` takes it. Raises Refused with a sentence."""
        conditions = [*self._parties(), *({PLACES[name]: ids} for name, ids in self.places.items())]
        conditions += [condition for flag, condition in _OF_FLAGS.items() if flag in self.flags]
        conditions += [read(self.values[name], now) for name, read in _OF_VALUES.items() if name in self.values]
        if "month" in self.values or "year" in self.values:
            begin, end = _months(self.values.get("year"), self.values.get("month"), now)
            conditions += [{"from": begin}, {"to": end}]
        return {"and": conditions} if conditions else {}

    def _parties(self) -> Iterator[dict[str, Any]]:
        kills, losses = "kills" in self.flags, "losses" in self.flags
        side = "" if kills == losses else "attacker" if kills else "victim"
        for name, ids in self.parties.items():
            party = PARTIES[name]
            if "finalblow-only" in self.flags:
                side = "attacker"
            yield {side + party[0].upper() + party[1:] if side else party: ids}


def read_modifiers(path: str) -> Query:
    """Return what the part of the path after `/api/` asks for. Raises Refused with a sentence about what is wrong."""
    parts = path.removesuffix("/").split("/")
    if parts == [""]:
        raise Refused("Please provide at least one modifier, such as kills or characterID/268946627")
    if len(parts) > 2 * MAX_MODIFIERS:
        raise Refused(f"no more than {MAX_MODIFIERS} modifiers can be combined")
    query = Query()
    rest = iter(parts)
    for name in rest:
        _take(query, name, rest)
    if "finalblow-only" in query.flags and not query.parties:
        raise Refused("finalblow-only needs whose final blow it was, such as characterID/268946627")
    if "finalblow-only" in query.flags and "losses" in query.flags:
        raise Refused("finalblow-only is about kills, and cannot be combined with losses")
    return query


def _take(query: Query, name: str, rest: Iterator[str]) -> None:
    """Note a modifier; one with a value takes it from the rest of the path."""
    if name in FLAGS:
        query.flags.add(name)
    elif name in PARTIES:
        _once(query.parties, "shipTypeID" if name == "shipID" else name, _ids(name, next(rest, "")))
    elif name in PLACES:
        _once(query.places, "systemID" if name == "solarSystemID" else name, _ids(name, next(rest, "")))
    elif name in NUMBERS:
        _once(query.values, name, next(rest, ""))
    elif name in _GONE:
        raise Refused(f"{name} is not supported; page, year and month, or the feed, lead to the same killmails")
    elif f"{name}ID" in PARTIES or f"{name}ID" in PLACES:
        raise Refused(f"{name} is invalid for API calls, please use {name}ID")
    elif not name:
        raise Refused("Please remove the double slash // from the call")
    elif name not in IGNORED:
        raise Refused(f"{name[:40]} is an invalid parameter")


def _once(found: dict[str, Any], name: str, value: Any) -> None:
    if name in found:
        raise Refused(f"{name} is given twice")
    found[name] = value


def _ids(name: str, text: str) -> list[int]:
    ids = [_number(name, part) for part in text.split(",")]
    if len(ids) > MAX_IDS:
        raise Refused(f"{name} takes no more than {MAX_IDS} ids")
    return ids


def _number(name: str, text: str) -> int:
    number = read_whole(text)
    if number is None:
        raise Refused(f"{text[:20] or 'nothing'} is not a valid entry for {name}: a whole number is needed")
    if text.startswith("0"):
        raise Refused("Do not prefix values with 0")
    return number


def _flag(name: str, text: str) -> bool:
    if text not in ("0", "1"):
        raise Refused(f"Only values of 0 or 1 allowed with the {name} filter")
    return text == "1"


def _seconds_ago(text: str, now: datetime) -> datetime:
    seconds = _number("pastSeconds", text)
    if seconds > MAX_SECONDS or seconds % HOUR:
        raise Refused("pastSeconds must be a multiple of 3600 and no more than 7 days (604800)")
    return now - timedelta(seconds=seconds)


def _isk(text: str) -> int:
    value = _number("iskValue", text)
    if value % ISK_STEP:
        raise Refused(f"iskValue must be a multiple of {ISK_STEP}")
    return value


def _months(year_text: str | None, month_text: str | None, now: datetime) -> tuple[datetime, datetime]:
    if year_text is None:
        raise Refused("month needs a year")
    year = _number("year", year_text)
    if not FIRST_YEAR <= year <= now.year:
        raise Refused(f"{year} is not a valid entry for year: {FIRST_YEAR} to {now.year}")
    if month_text is None:
        return datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    month = _number("month", month_text.removeprefix("0"))
    if not 1 <= month <= 12:
        raise Refused(f"{month} is not a valid entry for month")
    return datetime(year, month, 1, tzinfo=UTC), datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


def _time(name: str, text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        raise Refused(f"{name} must be a time as YYYYMMDDhhmm in UTC") from None


# The conditions of a filter that flags are, and values.
_OF_FLAGS: Mapping[str, dict[str, Any]] = {
    "solo": {"solo": True},
    "ganked": {"labels": ["ganked"]},
    **{space: {"space": [space]} for space in SPACES},
}
_OF_VALUES: Mapping[str, Callable[[str, datetime], dict[str, Any]]] = {
    "label": lambda text, _now: {"labels": [text]},
    "npc": lambda text, _now: {"npc": _flag("npc", text)},
    "awox": lambda text, _now: {"awox": _flag("awox", text)},
    "iskValue": lambda text, _now: {"valueMin": _isk(text)},
    "pastSeconds": lambda text, now: {"from": _seconds_ago(text, now)},
    "startTime": lambda text, _now: {"from": _time("startTime", text)},
    "endTime": lambda text, _now: {"to": _time("endTime", text)},
}
