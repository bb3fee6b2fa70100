"""The index of who killed: one narrow row for a killmail and everything that took part on the killing side.

`killed_by` repeats the time, so that the newest kills of an alliance are read off one index in their exact order, and
names an alliance once a killmail, however many of its pilots took part. The victim's side needs none of this: it is in
the killmail's own row. Measured against indexes on `attacker` in `docs/decisions/0009-killmail-lists.md`.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from killreport.killmail.mail.model import Attacker
from killreport.killmail.stored.rollup import KIND_BITS

# The last number that KIND_BITS can hold: weapons are listed, but not counted, so they are no EntityKind.
WEAPON_KIND = (1 << KIND_BITS) - 1

KILLED_BY_COLUMNS = ("code", "killmail_time", "killmail_id")


def weapon_codes(attackers: tuple[Attacker, ...]) -> AbstractSet[int]:
    """Return the codes of the weapons on the killing side."""
    return {a.weapon_type_id << KIND_BITS | WEAPON_KIND for a in attackers if a.weapon_type_id is not None}
