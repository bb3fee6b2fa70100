"""The GraphQL requests that are measured, for one filled database."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import asyncpg
from graphql import GraphQLSchema, parse, validate

from killreport.entity.kind import EntityKind

# Cursors are left out: what is in them is each server's own business.
_PARTY = "character { id name } corporation { id name ticker } alliance { id name ticker }"
ROW = f"""id time points attackerCount labels values {{ total }}
  solarSystem {{ id name security region {{ id name }} }}
  victim {{ {_PARTY} shipType {{ id name group {{ id name }} }} }}
  finalBlow {{ {_PARTY} shipType {{ id name }} }}"""
LIST = f"query List {{ killmails(first: 25) {{ nodes {{ {ROW} }} pageInfo {{ hasNextPage }} }} }}"
_ITEM = "type { id name } flag quantityDropped quantityDestroyed unitPrice"
PAGE = f"""query Page($id: ID64!) {{ killmail(id: $id) {{
  {ROW} hash values {{ fitted dropped destroyed }} victim {{ damageTaken position {{ x y z }} }}
  attackers {{ ordinal {_PARTY} faction {{ id name }} shipType {{ id name }} weaponType {{ id name }}
    damageDone finalBlow securityStatus }}
  items {{ {_ITEM} items {{ {_ITEM} }} }} }} }}"""
_FILTERED = f"""query Filtered($id: ID64!) {{ killmails(first: 25, filter: {{ alliance: [$id] }}) {{
  nodes {{ {ROW} }} pageInfo {{ hasNextPage }} }} }}"""
_LEADERS = "places { rank value entity { ... on Character { id name } } figures { kills losses iskDestroyed } }"
_LEADERBOARD = f"""query Leaderboard {{
  leaderboard(kind: CHARACTER, window: ALL_TIME, first: 25) {{ {_LEADERS} }} }}"""
_PLACE = f"""query Place($id: ID64!) {{
  leaderboard(kind: CHARACTER, window: ALL_TIME, scope: {{ regionId: $id }}, first: 25) {{ countedAt {_LEADERS} }} }}"""
_SEARCH = 'query Search { search(query: "Pilot 21", first: 20) { rank kind id name kills } }'
PAGES = 50


@dataclass(frozen=True, slots=True)
class Ask:
    """One kind of request: the bodies are sent in turns."""

    name: str
    bodies: tuple[bytes, ...]


async def asks(url: str, schema: GraphQLSchema) -> list[Ask]:
    """Return what can be asked of the schema. The pages are of the newest killmails and others of the same size."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            f"select killmail_id from killmail order by killmail_time desc, killmail_id desc limit {PAGES}"
        )
        largest, busiest = [
            await connection.fetchval(
                "select entity_id from total_stat where entity_kind = $1 order by kills desc limit 1", int(kind)
            )
            for kind in (EntityKind.ALLIANCE, EntityKind.REGION)
        ]
    finally:
        await connection.close()
    wanted: list[tuple[str, str, list[dict[str, Any]]]] = [
        ("list", LIST, [{}]),
        ("page", PAGE, [{"id": row["killmail_id"]} for row in rows]),
        ("filtered", _FILTERED, [{"id": largest}]),
        ("leaderboard", _LEADERBOARD, [{}]),
        ("place", _PLACE, [{"id": busiest}]),
        ("search", _SEARCH, [{}]),
    ]
    return [
        Ask(name, tuple(_body(text, one) for one in variables))
        for name, text, variables in wanted
        if not validate(schema, parse(text))
    ]


def _body(text: str, variables: dict[str, Any]) -> bytes:
    return json.dumps({"query": " ".join(text.split()), "variables": variables}).encode()
