"""The GraphQL documents of what several pages show; `model.py` has the shape of their answers.

What one page alone asks for stands in its module.
"""

from __future__ import annotations

# Who and where, as every page shows them.
PARTY = """
fragment PartyCharacter on Character { id name }
fragment PartyCorporation on Corporation { id name ticker }
fragment PartyAlliance on Alliance { id name ticker }
fragment TypeParts on Type { id name group { id name category { id name } } }
fragment Place on SolarSystem {
  id name security spaceClass constellation { id name } region { id name }
}
fragment VictimParts on Victim {
  character { ...PartyCharacter } corporation { ...PartyCorporation } alliance { ...PartyAlliance }
  faction { id name } shipType { ...TypeParts } damageTaken
}
"""

_ROW = (
    PARTY
    + """
fragment RowParts on Killmail {
  id cursor time
  solarSystem { ...Place }
  victim { ...VictimParts }
  finalBlow {
    character { ...PartyCharacter } corporation { ...PartyCorporation } alliance { ...PartyAlliance }
    faction { id name } shipType { ...TypeParts }
  }
  attackerCount values { total isComplete } labels solo npc awox
}
"""
)

LIST = (
    """
query Site_List($first: Int!, $after: String) {
  killmails(first: $first, after: $after) {
    nodes { ...RowParts }
    pageInfo { hasNextPage endCursor }
  }
  status { killmailCount lastStoredAt }
}
"""
    + _ROW
)

LIVE = "subscription Site_Live { killmails { ...RowParts } }\n" + _ROW

FEED = "query Site_Feed { status { killmailCount lastStoredAt feed { newestKillmailAt heardAt isSilent trouble } } }"
