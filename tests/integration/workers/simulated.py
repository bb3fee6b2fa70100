"""What a simulator has published so far, told from its feed."""

from __future__ import annotations

from typing import Any

import aiohttp

from killreport.sim.world.journal import FIRST_SEQUENCE


async def published(url: str) -> dict[int, dict[str, Any]]:
    """Return every killmail by its id."""
    found = {}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{url}/control/publish", json={"count": 0}) as response:
            head = (await response.json())["head"]
        for sequence in range(FIRST_SEQUENCE, head + 1):
            async with session.get(f"{url}/ephemeral/{sequence}.json") as response:
                package = await response.json()
            found[package["killmail_id"]] = package["esi"]
    return found


def by_character(mails: dict[int, dict[str, Any]]) -> dict[int, list[int]]:
    """Return the ids of each character's killmails, the newest first."""
    found: dict[int, set[tuple[str, int]]] = {}
    for mail_id, mail in mails.items():
        for party in (mail["victim"], *mail["attackers"]):
            if "character_id" in party:
                found.setdefault(party["character_id"], set()).add((mail["killmail_time"], mail_id))
    return {who: [mail_id for _, mail_id in sorted(several, reverse=True)] for who, several in found.items()}


def busiest(mails: dict[int, dict[str, Any]], most: int = 10**6) -> tuple[int, list[int]]:
    """Return who is on the most killmails, but no more than that, and their ids, the newest first."""
    several = {who: ids for who, ids in by_character(mails).items() if len(ids) <= most}
    return max(several.items(), key=lambda item: (len(item[1]), item[0]))
