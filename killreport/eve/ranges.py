"""What an id alone tells. The game hands out ids in ranges, and these have held since it opened.

Source: https://developers.eveonline.com/docs/guides/id-ranges/
"""

from __future__ import annotations

NPC_CORPORATIONS = range(1_000_000, 2_000_000)
NPC_CHARACTERS = range(3_000_000, 4_000_000)
FACTIONS = range(500_000, 600_000)


def is_player_character(character_id: int | None) -> bool:
    """Tell whether the id is a player's character. None, for nobody, is not."""
    return character_id is not None and character_id >= NPC_CHARACTERS.stop


def is_player_corporation(corporation_id: int | None) -> bool:
    """Tell whether the id is a corporation of players. None, for no corporation, is not."""
    return corporation_id is not None and corporation_id >= NPC_CORPORATIONS.stop


def is_npc_corporation(corporation_id: int | None) -> bool:
    """Tell whether the id is a corporation of the game itself, such as CONCORD."""
    return corporation_id is not None and corporation_id in NPC_CORPORATIONS


def is_faction(faction_id: int | None) -> bool:
    """Tell whether the id is a faction's; old killmails name one where an alliance should be."""
    return faction_id is not None and faction_id in FACTIONS
