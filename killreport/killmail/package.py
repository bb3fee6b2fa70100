"""Killmails as R2Z2 publishes them, read for the board's own feed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from killreport.db.database import Connection
from killreport.killmail.esi_body import Whole, esi_body, feed_block, load_whole
from killreport.killmail.published import Published, list_published
from killreport.killmail.queries import get_killmails


async def list_packages(connection: Connection, first: int, limit: int) -> list[dict[str, Any]]:
    """Return the packages of up to `limit` numbers from `first` on, in order; see `list_published`."""
    published = await list_published(connection, first, limit)
    rows = await get_killmails(connection, {entry.killmail_id for entry in published})
    return packages_of(published, await load_whole(connection, rows))


def packages_of(published: Sequence[Published], killmails: Sequence[Whole]) -> list[dict[str, Any]]:
    """Return one package a number, for those whose killmails are given."""
    by_id = {whole.row.killmail_id: whole for whole in killmails}
    return [_package(entry, by_id[entry.killmail_id]) for entry in published if entry.killmail_id in by_id]


def _package(published: Published, whole: Whole) -> dict[str, Any]:
    return {
        "killmail_id": published.killmail_id,
        "hash": whole.row.hash.hex(),
        "esi": esi_body(whole),
        "zkb": feed_block(whole),
        "uploaded_at": int(published.at.timestamp()),
        "sequence_id": published.sequence,
    }
