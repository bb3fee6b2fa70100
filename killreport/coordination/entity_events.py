"""What an event of changed entities says: the ids of characters, corporations and alliances, and not what they are.

One id too many has something forgotten that was right, and read again; so the kinds, which mostly have ranges of their
own, are not told apart.
"""

from __future__ import annotations

from collections.abc import Collection

from killreport.coordination.events import ENTITY_CHANNEL, Events

# A notification of PostgreSQL holds less than 8,000 bytes: some 700 ids.
MAX_CHARACTERS = 7_500


async def publish_changed_entities(events: Events, ids: Collection[int]) -> None:
    """Publish that what is stored of these entities is other than before; to be called after the commit."""
    if ids:
        await events.publish(ENTITY_CHANNEL, write_ids(ids))


def write_ids(ids: Collection[int]) -> str:
    """Return the payload that says these; "", which means any, where they are too many."""
    payload = ",".join(map(str, sorted(ids)))
    return payload if len(payload) <= MAX_CHARACTERS else ""


def read_ids(payload: str) -> frozenset[int] | None:
    """Return the ids that a payload says; None for any, also where another version of this program said it."""
    try:
        return frozenset(map(int, payload.split(",")))
    except ValueError:
        return None
