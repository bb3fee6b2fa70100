"""The hash ESI asks for, from the mail alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from killreport.killmail.mail.hash import killmail_hash
from tests.factories import make_attacker, make_killmail, make_npc

AT = datetime(2021, 12, 2, 0, 0, tzinfo=UTC)


def test_the_hash_is_over_victim_killer_hull_and_time() -> None:
    # sha1 of "90000001" "90000002" "587" "132828768000000000"
    assert killmail_hash(make_killmail(at=AT)).hex() == "27b78a504f58cc402c777e31456f4c275c4fdf6d"


def test_nobody_is_the_word_none() -> None:
    # sha1 of "None" "None" "587" "132828768000000000"
    mail = make_killmail(make_npc(final_blow=True), character_id=None, at=AT)
    assert killmail_hash(mail).hex() == "651a28c53ee448307125422e2c4d029fdc56b58f"


def test_other_attackers_and_parts_of_a_second_do_not_count() -> None:
    mail = make_killmail(make_npc(), make_attacker(final_blow=True), at=AT + timedelta(milliseconds=999))
    assert killmail_hash(mail) == killmail_hash(make_killmail(at=AT))


def test_a_second_later_is_another_hash() -> None:
    mail = make_killmail(at=AT)
    later = msgspec.structs.replace(mail, killmail_time=AT + timedelta(seconds=1))
    assert killmail_hash(later) != killmail_hash(mail)
