"""Every sequence number holds a mail that the product takes: by hand a million of ten seeds, in CI 5,000 of them.

    KILLREPORT_TEST_MAILS=100000 pytest tests/unit/sim/test_whole_mails.py -n 2 --timeout 3600

makes so many of each seed.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

import msgspec
import pytest

from killreport.eve.universe import Universe
from killreport.killmail.mail.decode import decode_killmail
from killreport.killmail.mail.hash import killmail_hash
from killreport.killmail.mail.model import Killmail
from killreport.sim.publishing.appraisal import can_be_ganked
from killreport.sim.world.generator import Generator
from killreport.sim.world.journal import FIRST_SEQUENCE
from killreport.sim.world.people import World

MAILS_OF_EACH_SEED = int(os.environ.get("KILLREPORT_TEST_MAILS", "500"))
NOON = 1_760_000_400
# Whoever was alone with the kill had been drawn as its victim twice over: nobody was left to have shot.
ONCE_WITHOUT_ATTACKERS = 96_024_699


def check(mail: dict[str, Any], universe: Universe) -> None:
    """Raise AssertionError or Malformed where the mail is none that the game could have written."""
    raw = msgspec.json.encode(mail)
    decoded = decode_killmail(raw)
    attackers, victim = mail["attackers"], mail["victim"]
    assert attackers
    assert sum(attacker["final_blow"] for attacker in attackers) == 1
    assert victim.get("character_id") not in {attacker.get("character_id", 0) for attacker in attackers}
    assert victim["damage_taken"] in {0, sum(attacker["damage_done"] for attacker in attackers)}
    assert datetime.fromisoformat(mail["killmail_time"]) == decoded.killmail_time
    # What the feed gives as its hash is made from the mail; what is made from its bytes must be the same.
    assert killmail_hash(msgspec.convert(mail, Killmail)) == killmail_hash(decoded)
    assert can_be_ganked(mail, universe) in {True, False}


@pytest.mark.parametrize("seed", range(1, 11))
def test_every_mail_is_whole(universe: Universe, seed: int) -> None:
    generator = Generator(universe, World(seed))

    ids = set()
    for sequence in range(FIRST_SEQUENCE, FIRST_SEQUENCE + MAILS_OF_EACH_SEED):
        mail = generator.generate(sequence, NOON)
        try:
            check(mail, universe)
        except Exception as error:
            error.add_note(f"seed {seed}, sequence {sequence}")
            raise
        ids.add(mail["killmail_id"])

    assert len(ids) == MAILS_OF_EACH_SEED


def test_who_is_alone_with_the_kill_is_not_its_victim(generator: Generator, universe: Universe) -> None:
    mail = generator.generate(ONCE_WITHOUT_ATTACKERS, NOON)

    check(mail, universe)
    assert len(mail["attackers"]) == 1
