"""Twenty real killmails, valued from the rules as they are written down and not by the code that follows them.

Worked out from the mails' own JSON and the flat tables of the test data alone, with a reckoning that shares nothing
with the product: decimal fractions instead of cents, a walk over nested objects instead of rows. Rules, in order: a
blueprint copy, what lies in an escape bay and a SKIN are 0.01; a capsule is 10,000; the table's `custom` price; its
price seen in Jita or told by ESI, but for two records that repeat an example of ESI's documentation (306,292.67); CCP's
base price by its portion, but not for structures, titans and supercarriers; else none.
The dearest line by hand: 177,218 Scourge Fury Heavy Missiles at 600,080 for 5,000, which is 120.02 each, are
21,269,704.36 ISK; before portions were known they were 106,344,977,440.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.universe import seed_prices, seed_universe
from killreport.killmail.mail.archive import read_records
from killreport.killmail.mail.arrival import read_arrival
from killreport.killmail.mail.model import Killmail
from killreport.killmail.rules.value import value_killmail

# Killmail, then hull, fitted, dropped and destroyed in hundredths of an ISK, and whether everything has a price.
BY_HAND: tuple[tuple[int, int, int, int, int, bool], ...] = (
    # Mammoth: base, hull base, none, portion, seen; 2 of 32 lines without a price
    (97084316, 140_000_000, 443_280_000, 37_637_667_432, 66_062_002_586, False),
    # Tayra: base, hull base, none, portion, seen; 14 of 176 lines without a price
    (97075731, 140_000_000, 1_019_345_000, 8_979_527_439, 111_007_697_134, False),
    # Cyclone: base, hull seen, none, portion, seen; 2 of 34 lines without a price
    (97081643, 1_413_093_078, 3_712_005_297, 1_396_146_734, 3_217_800_063, False),
    # Flycatcher: base, hull base, none, portion, seen; 2 of 30 lines without a price
    (97070786, 4_450_000_000, 5_331_616_068, 764_542_358, 5_010_938_032, False),
    # Heron: base, copy, hull seen, nested, none, seen; 8 of 43 lines without a price
    (97088447, 59_960_000, 111_389_000, 746_340_151, 126_757_790, False),
    # Sunesis: base, hull seen, nested, none, portion, seen; 3 of 23 lines without a price
    (97082803, 889_800_000, 1_049_989_000, 108_942_000, 2_180_630_192, False),
    # Thorax: copy, hull base, none, seen; 3 of 25 lines without a price
    (97080164, 800_000_000, 1_126_528_390, 276_807_592, 864_798_809, False),
    # Vargur: base, bay, hull seen, none, portion, seen; 5 of 49 lines without a price
    (97038865, 132_647_272_727, 276_405_158_486, 122_405_036_900, 165_202_122_443, False),
    # Magnate: base, hull base, none, portion, seen, skin; 9 of 46 lines without a price
    (97074666, 40_000_000, 44_055_734, 29_452_471, 90_675_694, False),
    # Capsule: hull capsule; 0 of 0 lines without a price
    (96960447, 1_000_000, 1_000_000, 0, 1_000_000, True),
    # Vendetta: hull fixed; 0 of 0 lines without a price
    (71600816, 12_000_000_000_000, 12_000_000_000_000, 0, 12_000_000_000_000, True),
    # Guristas Pirates Stronghold: hull none, seen; 0 of 6 lines without a price
    (97086995, 0, 11_341_806_141, 3_888_486_404, 7_453_319_737, False),
    # Reaper: hull none, none, seen; 2 of 3 lines without a price
    (96955627, 0, 7_500, 7_500, 0, False),
    # Sabre: base, hull seen, portion, seen; 0 of 30 lines without a price
    (96975832, 6_737_749_699, 8_636_970_738, 884_180_651, 8_206_473_777, True),
    # Ishtar: base, hull seen, seen; 0 of 26 lines without a price
    (97047154, 18_010_000_000, 20_351_879_073, 2_422_744_706, 20_474_604_867, True),
    # Flycatcher: base, hull base, portion, seen; 0 of 23 lines without a price
    (97086753, 4_450_000_000, 6_086_790_913, 1_262_708_256, 5_146_509_787, True),
    # Stratios: base, copy, hull base, nested, none, portion, seen; 4 of 50 lines without a price
    (97042143, 3_830_000_000, 12_813_353_600, 3_208_210_533, 16_000_531_400, False),
    # Orca: base, copy, hull seen, nested, none, portion, seen; 11 of 58 lines without a price
    (97072229, 72_330_401_311, 72_878_781_273, 1_929_669_924, 96_133_963_202, False),
    # Myrmidon: base, hull base, none, seen; 1 of 25 lines without a price
    (97045975, 4_040_000_000, 6_087_329_200, 761_759_200, 5_409_038_400, False),
    # Prophecy: base, hull base, nested, none, portion, seen; 3 of 36 lines without a price
    (96975910, 4_040_000_000, 14_196_226_574, 1_466_832_088, 13_727_458_478, False),
)


@pytest.fixture(scope="module")
def mails(data: Path) -> dict[int, Killmail]:
    # The days name their files by the killmails; of forty thousand only those are decoded that may be one of them.
    wanted = re.compile("|".join(["odd_shared", *(f"/{row[0]}[.]" for row in BY_HAND)]))
    found: dict[int, Killmail] = {}
    for path in (*(data / "killmails" / "everef").glob("*.tar.bz2"), data / "killmails" / "odd_shared.jsonl.zst"):
        with path.open("rb") as stream:
            for record in read_records(stream, path.name):
                if wanted.search(record.reference):
                    mail = read_arrival(record.body, "test", record.reference).mail
                    found.setdefault(mail.killmail_id, mail)
    return found


def test_a_mail_is_worth_what_the_rules_say(mails: dict[int, Killmail]) -> None:
    universe, prices = seed_universe(), seed_prices()
    found = []
    for killmail_id, *_ in BY_HAND:
        value = value_killmail(mails[killmail_id], universe, prices)
        found.append((killmail_id, value.ship.cents, value.fitted, value.dropped, value.destroyed, value.is_complete))

    assert len(found) == 20
    assert found == list(BY_HAND)
