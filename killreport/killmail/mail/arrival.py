"""A killmail as it comes in from a source, before anything is known of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from killreport.errors import Malformed
from killreport.killmail.mail.decode import decode_killmail, unwrap
from killreport.killmail.mail.model import Killmail


@dataclass(frozen=True, slots=True)
class Arrival:
    """A killmail as a source gave it.

    hash: what the source says it is; verified, never believed. body: the source's own bytes, kept if the mail must be
    quarantined. extra_labels: those that only the source can know (`ganked`, `padding`). is_from_feed: a live feed
    brought it, so that it is news however old it is: a delay of up to three days may have ended.
    """

    mail: Killmail
    source: str
    hash: bytes | None = None
    location_id: int | None = None
    extra_labels: tuple[str, ...] = ()
    reference: str = ""
    body: bytes = b""
    is_from_feed: bool = False


def read_arrival(body: bytes, source: str, reference: str) -> Arrival:
    """Return the killmail of a document in any of the known envelopes and shapes. Raises Malformed, nothing else."""
    envelope = unwrap(body)
    zkb = envelope.zkb
    return Arrival(
        decode_killmail(envelope.body),
        source,
        hash=read_hash(envelope.hash),
        location_id=zkb.location_id if zkb else None,
        extra_labels=zkb.source_labels if zkb else (),
        reference=reference,
        body=body,
    )


def is_hash(text: str) -> bool:
    """Return whether the text is 40 hexadecimal digits."""
    return re.fullmatch(r"[0-9a-fA-F]{40}", text) is not None


def read_hash(text: str | None) -> bytes | None:
    """Return the 20 bytes of a killmail hash, None where there is none. Raises Malformed for anything else."""
    if not text:
        return None
    if not is_hash(text):
        raise Malformed(f"the hash {text[:60]!r} is not 40 hexadecimal digits", "$.killmail_hash")
    return bytes.fromhex(text)
