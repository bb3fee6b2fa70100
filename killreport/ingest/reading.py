"""From what a feed hands on to what the writer takes."""

from __future__ import annotations

from datetime import timedelta

from killreport.config import Settings
from killreport.db.database import Database
from killreport.entity.ledger import stale_limits
from killreport.errors import Malformed
from killreport.eve.keeping import UniverseKeeper, keep_universe
from killreport.killmail.mail.arrival import Arrival, read_hash
from killreport.killmail.mail.decode import decode_killmail
from killreport.killmail.stored.quarantine import Reject, quarantine_bound
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import PriceBook, load_price_book
from killreport.zkillboard.package import Package, UnreadablePackage


async def load_writer(database: Database, settings: Settings | None = None) -> KillmailWriter:
    """Return a writer with the universe and prices of this moment, and the limits that are set, or the usual ones."""
    async with database.connection() as connection:
        static = await keep_universe(connection)
        prices = await load_price_book(connection, static.universe)
    if settings is None:
        return KillmailWriter(static.universe, prices, version=static.version)
    return make_writer(static, prices, settings)


def make_writer(static: UniverseKeeper, prices: PriceBook, settings: Settings) -> KillmailWriter:
    """Return a writer with the limits that are set; it has the universe of this moment, and learns later ones."""
    history_after = timedelta(hours=settings.history_after_hours)
    limits, bound = stale_limits(settings), quarantine_bound(settings)
    return KillmailWriter(static.universe, prices, limits, bound, history_after, version=static.version)


def read_package(package: Package | UnreadablePackage, source: str, *, is_from_feed: bool = False) -> Arrival | Reject:
    """Return the killmail of a package, or the whole package as a reject with the reason."""
    reference = source if package.sequence_id is None else f"{source} {package.sequence_id}"
    if isinstance(package, UnreadablePackage):
        return Reject(source, reference, package.reason, package.path, package.body, package.killmail_id)
    try:
        mail = decode_killmail(package.esi)
        if mail.killmail_id != package.killmail_id:
            raise Malformed(f"the package is for killmail {package.killmail_id}, but contains {mail.killmail_id}")
        return Arrival(
            mail,
            source,
            hash=read_hash(package.hash),
            location_id=package.zkb.location_id,
            extra_labels=package.zkb.source_labels,
            reference=reference,
            body=package.raw,
            is_from_feed=is_from_feed,
        )
    except Malformed as error:
        return Reject(source, reference, error.reason, error.path, package.raw, package.killmail_id)


def read_body(body: bytes, killmail_id: int, source: str, claimed_hash: str) -> Arrival | Reject:
    """Return the killmail of a bare ESI body that is said to have this id and hash, or the body as a reject."""
    reference = f"{source} {killmail_id}"
    try:
        mail = decode_killmail(body)
        if mail.killmail_id != killmail_id:
            raise Malformed(f"expected killmail {killmail_id}", "$.killmail_id")
        return Arrival(mail, source, hash=read_hash(claimed_hash), reference=reference, body=body)
    except Malformed as error:
        return Reject(source, reference, error.reason, error.path, body, killmail_id)
