"""A package: what a feed says about one killmail, with the killmail itself still as bytes."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from killreport.decoding import AnyId, decode_json
from killreport.errors import Malformed
from killreport.killmail.mail.arrival import is_hash
from killreport.killmail.mail.zkb import ZkbBlock, read_zkb_block


class Package(msgspec.Struct, frozen=True):
    """One killmail of a feed.

    hash: 40 hexadecimal digits, as the feed claims, or empty where it claims none. esi: the body ESI gives.
    sequence_id: its number in the feed, None where the feed has no numbers. sequence_updated: an older number whose
    package was rewritten. raw: the whole answer.
    """

    killmail_id: int
    hash: str
    esi: msgspec.Raw
    zkb: ZkbBlock
    raw: bytes
    sequence_id: int | None = None
    sequence_updated: int | None = None


@dataclass(frozen=True)
class UnreadablePackage:
    """An answer that holds no readable package, whole, with why; it goes to the quarantine.

    may_heal: it did not come whole, so the same number is to be read again later.
    """

    reason: str
    path: str
    body: bytes
    sequence_id: int | None = None
    killmail_id: int | None = None
    may_heal: bool = False


@dataclass(frozen=True)
class FeedDelivery:
    """What a feed hands on; everything in it is to be stored in one transaction, before the next is asked for.

    next_sequence: where the feed stands afterwards; None where the feed has no numbers.
    gaps: numbers that are to be read (again) later, noted for the first time or tried in vain once more.
    filled_gaps: such numbers that are done. lost_gaps: those of them that were given up, for they have expired.
    jumped_from: the number at which the cursor stood when nothing from there to `next_sequence` was to be had.
    Lost gaps and a jump can be made good from the history only.
    """

    package: Package | UnreadablePackage | None = None
    next_sequence: int | None = None
    gaps: tuple[int, ...] = ()
    filled_gaps: tuple[int, ...] = ()
    lost_gaps: tuple[int, ...] = ()
    jumped_from: int | None = None


class _Removed(msgspec.Struct):
    removed: bool = False


class _Envelope(msgspec.Struct):
    killmail_id: AnyId
    esi: msgspec.Raw
    hash: str | None = None
    zkb: msgspec.Raw = msgspec.Raw(b"null")
    sequence_updated: int | None = None


class _RedisqPackage(msgspec.Struct, rename={"killmail_id": "killID"}):
    killmail_id: AnyId
    killmail: msgspec.Raw = msgspec.Raw(b"null")
    zkb: msgspec.Raw = msgspec.Raw(b"null")


class _RedisqEnvelope(msgspec.Struct):
    package: _RedisqPackage | None


class _Listed(msgspec.Struct):
    killmail_id: AnyId
    victim: msgspec.Raw = msgspec.Raw(b"")
    zkb: msgspec.Raw = msgspec.Raw(b"null")


def decode_package(body: bytes, sequence_id: int) -> Package:
    """Return the package of an R2Z2 file. Raises Malformed with the path of what is wrong."""
    envelope = decode_json(body, _Envelope)
    if not bytes(envelope.esi).lstrip().startswith(b"{"):
        raise Malformed("expected an object", "$.esi")
    hash_, zkb = _hash_and_block(envelope.zkb, "$.hash", envelope.hash)
    updated = envelope.sequence_updated
    return Package(envelope.killmail_id, hash_, envelope.esi, zkb, body, sequence_id, updated)


def is_removed(body: bytes) -> bool:
    """Tell whether an R2Z2 file says that its killmail was taken out, as boards of our kind do."""
    try:
        return decode_json(body, _Removed).removed
    except Malformed:
        return False


def decode_redisq(body: bytes) -> Package | None:
    """Return the package of a RedisQ answer, None where it says there is none. Raises Malformed.

    `esi` is the JSON null where the package came without the killmail, as RedisQ's did from December 2025 on.
    """
    package = decode_json(body, _RedisqEnvelope).package
    if package is None:
        return None
    hash_, zkb = _hash_and_block(package.zkb, "$.package.zkb.hash")
    return Package(package.killmail_id, hash_, package.killmail, zkb, body)


def decode_listed(body: bytes) -> Package:
    """Return the package of one element of zKillboard's lists: the killmail itself with its block inside.

    `esi` is the JSON null where the list has only the block. Raises Malformed, also where there is neither a killmail
    nor its hash.
    """
    listed = decode_json(body, _Listed)
    hash_, zkb = _hash_and_block(listed.zkb, "$.zkb.hash")
    is_whole = bool(bytes(listed.victim))
    if not is_whole and not hash_:
        raise Malformed("neither a killmail nor its hash", "$.zkb.hash")
    return Package(listed.killmail_id, hash_, msgspec.Raw(body if is_whole else b"null"), zkb, body)


def _hash_and_block(raw: msgspec.Raw, path: str, told: str | None = None) -> tuple[str, ZkbBlock]:
    """Return the hash that is claimed, empty where none is, and the block. told: the hash beside the block."""
    zkb = read_zkb_block(raw) or ZkbBlock()
    text = told or zkb.hash or ""
    if text and not is_hash(text):
        raise Malformed("a hash has 40 hexadecimal digits", path)
    return text, zkb
