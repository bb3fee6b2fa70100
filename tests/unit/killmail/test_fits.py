"""Written fittings, read back: nothing of a real killmail is lost or moved that the formats can say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bench.eft_reader import Reader
from bench.fits import (
    HULL_NAME,
    ITEM_NAME,
    MISPLACED,
    NAMESAKE,
    NO_HULL,
    NO_SLOT,
    ONLY_DRONES,
    UNEXPLAINED,
    UNPUBLISHED,
    compare,
    read_mails,
)
from bench.universe import seed_universe
from killreport.killmail.mail.model import Item
from tests.factories import RIFTER, make_killmail

KNOWN = {HULL_NAME, ITEM_NAME, MISPLACED, NAMESAKE, NO_HULL, NO_SLOT, ONLY_DRONES, UNPUBLISHED}


def test_every_difference_in_the_odd_mails_has_a_cause(data: Path) -> None:
    universe = seed_universe()
    reader = Reader(universe)
    mails = differing = 0
    causes: Counter[str] = Counter()
    for mail in read_mails(data, with_days=False):
        found = compare(mail, universe, reader)
        mails += 1
        differing += bool(found)
        causes.update(one.cause for one in found)

    assert mails > 1000
    assert differing < mails * 0.3  # chosen for being odd
    assert set(causes) <= KNOWN


def test_a_text_that_says_something_else_is_noticed() -> None:
    universe = seed_universe()
    reader = Reader(universe)
    # A Tritanium at an implant's flag is none, and a reader finds it in the cargo.
    mail = make_killmail(items=(Item(34, 89, quantity_destroyed=1),), ship_type_id=RIFTER)

    assert {(one.subject, one.wanted, one.found, one.cause) for one in compare(mail, universe, reader)} == {
        ("implants", 1, 0, UNEXPLAINED),
        ("cargo", 0, 1, UNEXPLAINED),
    }
