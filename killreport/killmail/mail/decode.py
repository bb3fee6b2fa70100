"""Turn the bytes of one killmail, from any source and of any age, into a `Killmail`, or say what is wrong with them.

What holds afterwards, whatever came in: one attacker or more, exactly one of them with the final blow; no id is 0; the
time is in UTC and within the life of the game; items are nested a few levels at most; rows fit their ordinals.
The store, the rules and the pages rely on it. Bytes in the present shape take a fast path without Python objects in
between; all others go through `killreport.killmail.mail.legacy`, which also finds the exact path of what is wrong.
"""

from __future__ import annotations

from typing import Any

import msgspec

from killreport.decoding import UNREADABLE, decode_json
from killreport.killmail.mail.legacy import read_killmail
from killreport.killmail.mail.model import Killmail
from killreport.killmail.mail.sanity import check_attackers, check_items, with_sane_time
from killreport.killmail.mail.zkb import ZkbBlock, read_zkb_block

MAX_WRAPPERS = 4  # RedisQ has two: the answer and its package

_PRESENT_SHAPE = msgspec.json.Decoder(Killmail)


_ABSENT = msgspec.Raw()


class KillmailEnvelope(msgspec.Struct, frozen=True):
    """A killmail's own bytes, and what its source wrote around or into them.

    hash: as written, not verified.
    """

    body: bytes | msgspec.Raw
    hash: str | None = None
    zkb: ZkbBlock | None = None


class _Wrapper(msgspec.Struct, gc=False):
    """The keys that tell a wrapper from a killmail, and those that add to it on any level."""

    victim: msgspec.Raw = _ABSENT
    attackers: msgspec.Raw = _ABSENT
    esi: msgspec.Raw = _ABSENT
    killmail: msgspec.Raw = _ABSENT
    package: msgspec.Raw = _ABSENT
    body: msgspec.Raw = _ABSENT
    zkb: msgspec.Raw = _ABSENT
    killmail_hash: msgspec.Raw = _ABSENT
    hash: msgspec.Raw = _ABSENT


_WRAPPER = msgspec.json.Decoder(_Wrapper)


def decode_killmail(raw: bytes | msgspec.Raw) -> Killmail:
    """Return the killmail these bytes hold: ESI's shape, CREST's or that of the XML API's time, odd spellings included.

    Keys that do not belong to a killmail are ignored. Raises Malformed, and nothing else, for any bytes.
    """
    try:
        mail = _PRESENT_SHAPE.decode(raw)
    except UNREADABLE:
        mail = read_killmail(decode_json(raw, Any))
    else:
        if not mail.victim.items and bytes(raw).count(b'"items"') > (mail.victim.items is not None):
            mail = read_killmail(decode_json(raw, Any))  # some sources hang the items beside the victim
    check_attackers(mail.attackers)
    if mail.victim.items:
        check_items(mail.victim.items)
    return with_sane_time(mail)


def unwrap(raw: bytes | msgspec.Raw) -> KillmailEnvelope:
    """Return the killmail's bytes out of whatever a source wraps them in, with the hash and zkb block found on the way.

    Known wrappers: R2Z2's file (`esi`), RedisQ's answer (`package`, `killmail`), a test corpus's line (`body`); hash
    and zkb block also stand inside a killmail, as EVE Ref and the zKillboard API write them. The outermost counts.
    Never raises: what is no wrapper comes back as it is, for `decode_killmail` to judge.
    """
    body = raw
    found_hash: str | None = None
    zkb: ZkbBlock | None = None
    for _ in range(MAX_WRAPPERS):
        try:
            level = _WRAPPER.decode(body)
        except UNREADABLE:
            break
        zkb = zkb or read_zkb_block(level.zkb)
        found_hash = found_hash or _text(level.killmail_hash) or _text(level.hash)
        inner = next((part for part in (level.esi, level.killmail, level.package, level.body) if bytes(part)), None)
        if inner is None or bytes(level.victim) or bytes(level.attackers):
            break
        body = inner
    return KillmailEnvelope(body, found_hash or (zkb.hash if zkb else None), zkb)


def _text(raw: msgspec.Raw) -> str | None:
    try:
        return msgspec.json.decode(raw, type=str)
    except UNREADABLE:
        return None
