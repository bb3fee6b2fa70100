"""A package: what a feed says about one killmail, with the killmail itself still as bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from killreport.errors import Malformed

_STRUCT = TypeVar("_STRUCT")
_PATH_IN_MESSAGE = re.compile(r"^(?P<reason>.*) - at `(?P<path>[^`]*)`$", re.DOTALL)


class Zkb(msgspec.Struct, frozen=True, rename={"location_id": "locationID"}):
    """zKillboard's own block, as far as it matters here: values in ISK are not read, ours are by our rules."""

    location_id: int | None = None
    hash: str | None = None
    href: str | None = None
    points: float | None = None
    npc: bool | None = None
    solo: bool | None = None
    awox: bool | None = None
    labels: tuple[str, ...] | None = None


class Package(msgspec.Struct, frozen=True):
    """One killmail of a feed.

    hash: 40 hexadecimal digits, as the feed claims, or empty where it claims none. esi: the body ESI gives.
    sequence_id: its number in the feed, None where the feed has no numbers. sequence_updated: an older number whose
    package was rewritten. raw: the whole answer.
    """

    killmail_id: int
    hash: str
    esi: msgspec.Raw
    zkb: Zkb
    sequence_id: int | None
    sequence_updated: int | None
    raw: bytes


@dataclass(frozen=True)
class Unreadable:
    """An answer that holds no readable package, whole, with why; it goes to the quarantine."""

    reason: str
    path: str
    body: bytes
    sequence_id: int | None = None
    killmail_id: int | None = None


@dataclass(frozen=True)
class Delivery:
    """What a feed hands on; everything in it is to be stored in one transaction, before the next is asked for.

    next_sequence: where the feed stands afterwards; None where the feed has no numbers.
    gaps: numbers that are to be read (again) later, noted for the first time or tried in vain once more.
    filled_gaps: such numbers that are done. lost_gaps: those of them that were given up, for they have expired.
    jumped_from: the number at which the cursor stood when nothing from there to `next_sequence` was to be had.
    Lost gaps and a jump can be made good from the history only.
    """

    package: Package | Unreadable | None = None
    next_sequence: int | None = None
    gaps: tuple[int, ...] = ()
    filled_gaps: tuple[int, ...] = ()
    lost_gaps: tuple[int, ...] = ()
    jumped_from: int | None = None


class _Envelope(msgspec.Struct):
    killmail_id: int
    esi: msgspec.Raw
    hash: str | None = None
    zkb: msgspec.Raw = msgspec.Raw(b"null")
    sequence_updated: int | None = None


class _RedisqPackage(msgspec.Struct, rename={"killmail_id": "killID"}):
    killmail_id: int
    killmail: msgspec.Raw = msgspec.Raw(b"null")
    zkb: msgspec.Raw = msgspec.Raw(b"null")


class _RedisqEnvelope(msgspec.Struct):
    package: _RedisqPackage | None


class _Listed(msgspec.Struct):
    killmail_id: int
    victim: msgspec.Raw = msgspec.Raw(b"")
    zkb: msgspec.Raw = msgspec.Raw(b"null")


def decode_package(body: bytes, sequence_id: int) -> Package:
    """Return the package of an R2Z2 file. Raises Malformed with the path of what is wrong."""
    envelope = decode_as(body, _Envelope)
    zkb = _lenient_zkb(envelope.zkb)
    return Package(
        killmail_id=envelope.killmail_id,
        hash=_claimed_hash(envelope.hash or zkb.hash, "$.hash"),
        esi=_object(envelope.esi, "$.esi"),
        zkb=zkb,
        sequence_id=sequence_id,
        sequence_updated=envelope.sequence_updated,
        raw=body,
    )


def decode_redisq(body: bytes) -> Package | None:
    """Return the package of a RedisQ answer, None where it says there is none. Raises Malformed.

    `esi` is the JSON null where the package came without the killmail, as RedisQ's did from December 2025 on.
    """
    package = decode_as(body, _RedisqEnvelope).package
    if package is None:
        return None
    zkb = _lenient_zkb(package.zkb)
    return Package(
        killmail_id=package.killmail_id,
        hash=_claimed_hash(zkb.hash, "$.package.zkb.hash"),
        esi=package.killmail,
        zkb=zkb,
        sequence_id=None,
        sequence_updated=None,
        raw=body,
    )


def decode_listed(body: bytes) -> Package:
    """Return the package of one element of zKillboard's lists: the killmail itself with its block inside.

    `esi` is the JSON null where the list has only the block. Raises Malformed, also where there is neither a killmail
    nor its hash.
    """
    listed = decode_as(body, _Listed)
    zkb = _lenient_zkb(listed.zkb)
    is_whole = bool(bytes(listed.victim))
    if not is_whole and not zkb.hash:
        raise Malformed("neither a killmail nor its hash", "$.zkb.hash")
    return Package(
        killmail_id=listed.killmail_id,
        hash=_claimed_hash(zkb.hash, "$.zkb.hash"),
        esi=msgspec.Raw(body if is_whole else b"null"),
        zkb=zkb,
        sequence_id=None,
        sequence_updated=None,
        raw=body,
    )


def decode_as(body: bytes | msgspec.Raw, kind: type[_STRUCT]) -> _STRUCT:
    """Decode JSON into the given type. Raises Malformed; its path is `$` where the text is no JSON at all."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        match = _PATH_IN_MESSAGE.match(str(error))
        raise Malformed(match["reason"], match["path"]) if match else Malformed(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"no JSON: {error}") from None


def is_json(body: bytes) -> bool:
    """Return whether the text is one whole JSON document; one that was cut short is not."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _lenient_zkb(raw: msgspec.Raw) -> Zkb:
    """Read the block; an odd one counts as empty, for it decides nothing about whether a killmail is stored."""
    try:
        found: Any = msgspec.json.decode(raw, type=Zkb | None)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Zkb()
    return found or Zkb()


def _claimed_hash(text: str | None, path: str) -> str:
    if not text:
        return ""
    try:
        size = len(bytes.fromhex(text))
    except ValueError:
        size = 0
    if size != 20 or len(text) != 40:
        raise Malformed("a hash has 40 hexadecimal digits", path)
    return text


def _object(raw: msgspec.Raw, path: str) -> msgspec.Raw:
    if not bytes(raw).lstrip().startswith(b"{"):
        raise Malformed("expected an object", path)
    return raw
