"""Flags, labels and points against zKillboard's own on real killmails, held at the level reached."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from bench.agreement import (
    INVENTED,
    NO_LABEL_YET,
    NO_PRICE,
    OLDER_CROWD,
    OLDER_SIZE,
    STRIPPED,
    STRUCTURE,
    Sample,
    Verdict,
    compare,
    read_samples,
)
from bench.universe import seed_universe
from killreport.killmail.rules.points import points
from tests.factories import RIFTER


@pytest.fixture(scope="module")
def samples(data: Path) -> list[Sample]:
    return read_samples(data)


@pytest.fixture(scope="module")
def verdicts(samples: list[Sample]) -> list[Verdict]:
    universe = seed_universe()
    return [verdict for sample in samples for verdict in compare(sample, universe)]


def test_all_blocks_of_the_corpus_are_compared(samples: list[Sample]) -> None:
    assert (len(samples), sum(1 for sample in samples if sample.zkb.labels)) == (334, 9)


@pytest.mark.parametrize(
    ("subject", "compared", "agreed"),
    [
        ("solo", 334, 334),
        ("awox", 334, 334),
        ("npc", 334, 333),
        ("points", 334, 284),
        ("label #", 9, 7),
        ("label cat", 9, 7),
        ("label loc", 9, 7),
        ("label npc", 9, 9),
        ("label tz", 9, 5),
        ("label isk", 6, 1),
        ("label capital", 3, 3),
        ("label fw", 1, 1),
        ("label loss", 2, 0),
    ],
)
def test_the_agreement_stays_at_its_level(verdicts: list[Verdict], subject: str, compared: int, agreed: int) -> None:
    of_subject = [verdict for verdict in verdicts if verdict.subject == subject]
    assert (len(of_subject), sum(1 for verdict in of_subject if verdict.cause is None)) == (compared, agreed)


def test_every_disagreement_has_its_cause(verdicts: list[Verdict]) -> None:
    causes = Counter((verdict.subject, verdict.cause) for verdict in verdicts if verdict.cause is not None)
    assert causes == {
        ("npc", STRUCTURE): 1,
        ("points", STRUCTURE): 1,
        ("points", STRIPPED): 37,
        ("points", OLDER_CROWD): 9,
        ("points", OLDER_SIZE): 1,
        ("points", INVENTED): 2,
        ("label #", INVENTED): 2,
        ("label cat", INVENTED): 2,
        ("label loc", INVENTED): 2,
        ("label loss", INVENTED): 2,
        ("label tz", INVENTED): 2,
        ("label isk", INVENTED): 1,
        ("label tz", NO_LABEL_YET): 2,
        ("label isk", NO_PRICE): 4,
    }


def test_the_points_of_the_purifier_are_those_of_a_killer_without_size(samples: list[Sample]) -> None:
    sample = next(sample for sample in samples if sample.mail.killmail_id == 119455394)
    (killer,) = sample.mail.attackers
    smaller = msgspec.structs.replace(sample.mail, attackers=(msgspec.structs.replace(killer, ship_type_id=RIFTER),))
    assert (sample.points, points(smaller, seed_universe(), is_npc=False), sample.zkb.points) == (11, 22, 22)
