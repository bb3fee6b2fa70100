"""The GraphQL documents of the site; `model.py` has the shape of their answers."""

from __future__ import annotations

_PARTY = """
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
    _PARTY
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

STATUS = """
query Site_Status {
  processes: fleet {
    name kind description isExtra queueName schedule nextRunAt isAlive lastSuccessAt lastErrorAt lastError lastReport
    waitsFor waitsSince
  }
  workerStatus { queueName messageCount delayedCount deadLetterCount oldestMessageAt ratePerSecond trouble }
  status { killmailCount lastStoredAt feed { newestKillmailAt heardAt isSilent trouble } }
}
"""

FEED = "query Site_Feed { status { killmailCount lastStoredAt feed { newestKillmailAt heardAt isSilent trouble } } }"

# Containers in containers exist (a packed ship holds a container that holds ammunition); deeper ones never occurred.
KILL = (
    """
query Site_Kill($id: ID64!) {
  killmail(id: $id) {
    id hash time
    solarSystem { ...Place }
    victim { ...VictimParts }
    attackers {
      character { ...PartyCharacter } corporation { ...PartyCorporation } alliance { ...PartyAlliance }
      faction { id name } shipType { ...TypeParts } weaponType { ...TypeParts }
      damageDone finalBlow securityStatus
    }
    attackerCount playerCount
    fitting {
      sections {
        slotName worth { total isComplete }
        slots { module { ...ItemParts } charges { ...ItemParts } } items { ...ItemTree }
      }
    }
    values { ship shipPriceExplanation fitted dropped destroyed total isComplete }
    points labels solo npc awox warId
    links { zkillboard esi }
  }
}
fragment ItemTree on Item { ...ItemParts items { ...ItemParts items { ...ItemParts items { ...ItemParts } } } }
fragment ItemParts on Item {
  type { ...TypeParts } quantityDropped quantityDestroyed singleton unitPrice priceExplanation
}
"""
    + _PARTY
)
