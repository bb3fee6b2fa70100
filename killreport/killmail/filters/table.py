"""The table of everything a list of killmails can be filtered by.

One entry makes a filter everywhere: in the API's input, in SQL, in memory for live subscriptions, and in the site's
form. `killreport.killmail.filters.tree` nests conditions with `and`, `or` and `not`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from killreport.entity.kind import EntityKind
from killreport.ids import MAX_ENTITY_ID
from killreport.killmail.filters.predicates import (
    SPACES,
    Bound,
    ColumnIs,
    Either,
    FinalBlow,
    HasItem,
    HourOfDay,
    HullCategory,
    InSpace,
    Is,
    Killer,
    Labels,
    Predicate,
)
from killreport.killmail.filters.values import Count, Hours, Ids, Instant, Isk, ValueKind, Words, YesNo
from killreport.killmail.postings.codes import LOCATION_KIND, WAR_KIND, WEAPON_KIND, Side


@dataclass(frozen=True, slots=True)
class Filter:
    """One entry. section: the heading it stands under in a form; label and help: for people."""

    name: str
    kind: ValueKind
    predicate: Predicate
    section: str
    label: str
    help: str


@dataclass(frozen=True, slots=True)
class _PartyFilters:
    """Something that is on both sides of a kill, with the victim's column and the killers' kind."""

    name: str
    words: str
    column: str
    kind: EntityKind
    attribute: str


# From the one that names fewest killmails to the one that names most.
_PARTIES = (
    _PartyFilters("character", "pilot", "victim_character_id", EntityKind.CHARACTER, "character_id"),
    _PartyFilters("corporation", "corporation", "victim_corporation_id", EntityKind.CORPORATION, "corporation_id"),
    _PartyFilters("alliance", "alliance", "victim_alliance_id", EntityKind.ALLIANCE, "alliance_id"),
    _PartyFilters("shipType", "ship type", "ship_type_id", EntityKind.SHIP_TYPE, "ship_type_id"),
    _PartyFilters("shipGroup", "ship group", "ship_group_id", EntityKind.SHIP_GROUP, "ship_type_id"),
    _PartyFilters("faction", "faction", "victim_faction_id", EntityKind.FACTION, "faction_id"),
)


def _party_filters() -> Iterator[Filter]:
    for party in _PARTIES:
        kind = Ids(party.name, MAX_ENTITY_ID)
        victim = ColumnIs(party.column, party.kind, Side.VICTIM)
        killer = Killer(party.kind, party.attribute, is_group=party.kind is EntityKind.SHIP_GROUP)
        word, upper = party.words, party.name[0].upper() + party.name[1:]
        yield Filter(
            party.name, kind, Either(victim, killer), "Anybody", word.capitalize(), f"The {word}, on either side"
        )
        yield Filter(f"victim{upper}", kind, victim, "Victim", f"Victim's {word}", f"The {word} that lost the ship")
        yield Filter(f"attacker{upper}", kind, killer, "Attackers", f"Attacker's {word}", f"The {word} of any attacker")


def _final_blow_filters() -> Iterator[Filter]:
    for name in ("character", "corporation", "alliance"):
        column = f"final_blow_{name}_id"
        yield Filter(
            f"finalBlow{name.capitalize()}", Ids(name, MAX_ENTITY_ID), FinalBlow(EntityKind[name.upper()], column),
            "Attackers", f"Final blow's {name}", "Who struck the final blow",
        )  # fmt: skip


_TYPE = Ids("type", MAX_ENTITY_ID)
_ENTRIES = (
    *_party_filters(),
    Filter("weapon", _TYPE, Killer(WEAPON_KIND, "weapon_type_id"), "Attackers", "Weapon", "What an attacker shot with"),
    Filter("attackersMin", Count(), Bound("attacker_count", ">=", "int"), "Attackers", "At least", "NPCs count"),
    Filter("attackersMax", Count(), Bound("attacker_count", "<=", "int"), "Attackers", "At most", "NPCs count"),
    Filter("playersMin", Count(), Bound("player_count", ">=", "int"), "Attackers", "Players from", "NPCs do not count"),
    Filter("playersMax", Count(), Bound("player_count", "<=", "int"), "Attackers", "Players to", "NPCs do not count"),
    *_final_blow_filters(),
    Filter("shipCategory", Ids("category", MAX_ENTITY_ID), HullCategory(), "Victim", "Category", "6: ships"),
    Filter("item", _TYPE, HasItem("anywhere"), "Items", "Item", "Fitted or carried, dropped or destroyed"),
    Filter("itemFitted", _TYPE, HasItem("fitted"), "Items", "Fitted item", "In a slot of the ship that died"),
    Filter("itemDropped", _TYPE, HasItem("dropped"), "Items", "Dropped item", "Left in the wreck"),
    Filter(
        "system", Ids("solarSystem", MAX_ENTITY_ID), ColumnIs("solar_system_id", EntityKind.SOLAR_SYSTEM, Side.KILLER),
        "Place", "Solar system", "Where it was",
    ),
    Filter(
        "constellation", Ids("constellation", MAX_ENTITY_ID),
        ColumnIs("constellation_id", EntityKind.CONSTELLATION, Side.KILLER),
        "Place", "Constellation", "Where it was",
    ),
    Filter(
        "region", Ids("region", MAX_ENTITY_ID), ColumnIs("region_id", EntityKind.REGION, Side.KILLER),
        "Place", "Region", "Where it was",
    ),
    Filter(
        "location", Ids("location", MAX_ENTITY_ID), ColumnIs("location_id", LOCATION_KIND, Side.KILLER),
        "Place", "Location", "The nearest celestial, where it is known",
    ),
    Filter("space", Words(SPACES), InSpace(), "Place", "Kind of space", "Security, or the kind of a place without any"),
    Filter("from", Instant(), Bound("killmail_time", ">=", "timestamptz"), "Time", "From", "At this time or later"),
    Filter("to", Instant(), Bound("killmail_time", "<", "timestamptz"), "Time", "Until", "Before this time"),
    Filter("hours", Hours(), HourOfDay(), "Time", "Hours of the day", "UTC, and possibly over midnight"),
    Filter("valueMin", Isk(), Bound("total_value_cents", ">=", "bigint"), "Worth", "At least", "Known total in ISK"),
    Filter("valueMax", Isk(), Bound("total_value_cents", "<=", "bigint"), "Worth", "At most", "Known total in ISK"),
    Filter("pointsMin", Count(), Bound("points", ">=", "int"), "Worth", "Points from", "How hard the kill was"),
    Filter("pointsMax", Count(), Bound("points", "<=", "int"), "Worth", "Points to", "How hard the kill was"),
    Filter("solo", YesNo(), Is("is_solo", "solo"), "Kind", "Solo", "By one player alone"),
    Filter("npc", YesNo(), Is("is_npc", "npc"), "Kind", "NPC", "Killed by NPCs alone, or an NPC died"),
    Filter("awox", YesNo(), Is("is_awox", "awox"), "Kind", "Awox", "The final blow came from the own corporation"),
    Filter("war", Ids("war", MAX_ENTITY_ID), ColumnIs("war_id", WAR_KIND, Side.KILLER), "Kind", "War", "Of this war"),
    Filter("labels", Words(), Labels("all"), "Labels", "All labels", "Every one of these labels"),
    Filter("labelsAny", Words(), Labels("any"), "Labels", "Any label", "At least one of these labels"),
    Filter("labelsNone", Words(), Labels("none"), "Labels", "No label", "None of these labels"),
)  # fmt: skip

# By name, in the order of a form. What stands first is, where all is equal, the better way into the index.
FILTERS: Mapping[str, Filter] = {entry.name: entry for entry in _ENTRIES}
