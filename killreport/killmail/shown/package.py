"""Killmails as the board's own feeds publish them.

A package is R2Z2's. One whose killmail was taken out is what is left of it, without killmail and figures, so that
whoever follows gets past its number: a number that never answers would hold up most followers for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from killreport.db.database import Connection
from killreport.killmail.shown.esi_body import FullKillmail, esi_body, feed_block, load_full_killmails
from killreport.killmail.stored.event import Kind
from killreport.killmail.stored.published import KINDS, Published, list_places, list_published
from killreport.killmail.stored.queries import get_killmails

# How the feed of everything marks its packages.
MARKS: dict[Kind, str] = {"stored": "live", "history": "history", "changed": "changed"}


async def list_packages(connection: Connection, first: int, limit: int) -> list[dict[str, Any]]:
    """Return the packages of up to `limit` numbers of the live feed from `first` on; see `list_published`."""
    published = await list_published(connection, first, limit)
    return packages_of(published, await _load(connection, published))


async def list_marked_packages(
    connection: Connection, first: int, limit: int, kinds: Collection[Kind] = KINDS
) -> list[dict[str, Any]]:
    """Return those of the feed of everything, each with its `kind`; see `list_places`."""
    published = await list_places(connection, first, limit, kinds)
    packages = packages_of(published, await _load(connection, published))
    for entry, package in zip(published, packages, strict=True):
        package.pop("sequence_updated", None)  # a number of the other feed
        package["kind"] = "removed" if is_removed(package) else MARKS[entry.kind]
    return packages


def is_removed(package: dict[str, Any]) -> bool:
    """Tell whether the killmail of a package was taken out."""
    return "esi" not in package


async def _load(connection: Connection, published: Sequence[Published]) -> list[FullKillmail]:
    return await load_full_killmails(
        connection, await get_killmails(connection, {entry.killmail_id for entry in published})
    )


def packages_of(published: Sequence[Published], killmails: Sequence[FullKillmail]) -> list[dict[str, Any]]:
    """Return one package a number. killmails: theirs, as far as they are still stored."""
    by_id = {killmail.row.killmail_id: killmail for killmail in killmails}
    return [_package(entry, by_id.get(entry.killmail_id)) for entry in published]


def _package(published: Published, killmail: FullKillmail | None) -> dict[str, Any]:
    package: dict[str, Any] = {"killmail_id": published.killmail_id}
    if killmail is None:
        package["removed"] = True
    else:
        package |= {"hash": killmail.row.hash.hex(), "esi": esi_body(killmail), "zkb": feed_block(killmail)}
    package |= {"uploaded_at": int(published.at.timestamp()), "sequence_id": published.sequence}
    if published.rewritten is not None:
        package["sequence_updated"] = published.rewritten
    return package
