"""The two parties that the wide row of a killmail carries itself."""

from __future__ import annotations

from dataclasses import dataclass

from killreport.killmail.queries import KillmailRow


@dataclass(frozen=True, slots=True)
class Party:
    """Ids of one party; None where it has none of the kind."""

    character_id: int | None
    corporation_id: int | None
    alliance_id: int | None
    faction_id: int | None


def victim_party(row: KillmailRow) -> Party:
    """Return who lost the ship."""
    return Party(row.victim_character_id, row.victim_corporation_id, row.victim_alliance_id, row.victim_faction_id)


def final_blow_party(row: KillmailRow) -> Party:
    """Return who struck the final blow."""
    return Party(
        row.final_blow_character_id,
        row.final_blow_corporation_id,
        row.final_blow_alliance_id,
        row.final_blow_faction_id,
    )
