"""Shapes of before ESI: CREST's and those of the XML API's time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from killreport.errors import Malformed
from killreport.killmail.mail.decode import decode_killmail, unwrap
from killreport.killmail.mail.hash import killmail_hash
from killreport.killmail.mail.model import Attacker, Item, Killmail, Position, Victim
from tests.unit.killmail.bodies import encode, make_body

CREST = {
    "killID": 30290604,
    "killID_str": "30290604",
    "killTime": "2013.05.05 18:09:00",
    "solarSystem": {"id": 30002062, "id_str": "30002062", "name": "Todifrauan", "href": "https://crest/"},
    "war": {"id": 0, "href": "https://crest/"},
    "attackerCount": 1,
    "attackers": [
        {
            "alliance": {"id": 99000645, "name": "RvB - RED Federation"},
            "character": {"id": 91634669, "name": "Lemming Malgalad"},
            "corporation": {"id": 1699307293, "name": "Red Federation"},
            "shipType": {"id": 16242, "name": "Thrasher"},
            "weaponType": {"id": 16242, "name": "Thrasher"},
            "damageDone": 330,
            "damageDone_str": "330",
            "finalBlow": True,
            "securityStatus": -0.5,
        }
    ],
    "victim": {
        "character": {"id": 92168909, "name": "CCP FoxFour"},
        "corporation": {"id": 109299958, "name": "C C P"},
        "faction": {"id": 500002, "name": "Minmatar Republic"},
        "shipType": {"id": 670, "name": "Capsule"},
        "damageTaken": 570,
        "items": [
            {"itemType": {"id": 24343}, "flag": 89, "singleton": 0, "quantityDestroyed": 1},
            {"itemType": {"id": 3467}, "flag": 5, "singleton": 0, "quantityDropped": 2,
             "items": [{"itemType": {"id": 34}, "flag": 0, "singleton": 0, "quantityDropped": 9}]},
        ],
    },
}  # fmt: skip

XML = {
    "killID": "50129206",
    "solarSystemID": 31001669,
    "killTime": "2015-11-12 08:31:57",
    "moonID": "40437462",
    "victim": {"shipTypeID": 20060, "characterID": 0, "corporationID": 98142695, "allianceID": 99004557,
               "factionID": 0, "factionName": "", "damageTaken": 13532616},
    "attackers": [
        {"characterID": 1399881500, "corporationID": 98400028, "allianceID": 0, "securityStatus": "1.1",
         "damageDone": 2586683, "finalBlow": 0, "weaponTypeID": 4306, "shipTypeID": 4306},
        {"characterID": 92973922, "corporationID": 98400028, "allianceID": 0, "securityStatus": 5,
         "damageDone": 2519495, "finalBlow": 1, "weaponTypeID": 0, "shipTypeID": 0},
    ],
    "items": [{"typeID": 34, "flag": 5, "qtyDropped": 3, "qtyDestroyed": 0, "singleton": 0}],
    "position": {"y": 21224693760, "x": 1346497290240, "z": -998232514560},
}  # fmt: skip


def test_crests_shape_is_read() -> None:
    assert decode_killmail(encode(CREST)) == Killmail(
        killmail_id=30290604,
        killmail_time=datetime(2013, 5, 5, 18, 9, tzinfo=UTC),
        solar_system_id=30002062,
        victim=Victim(
            ship_type_id=670,
            damage_taken=570,
            character_id=92168909,
            corporation_id=109299958,
            faction_id=500002,
            items=(
                Item(24343, 89, quantity_destroyed=1),
                Item(3467, 5, quantity_dropped=2, items=(Item(34, 0, quantity_dropped=9),)),
            ),
        ),
        attackers=(
            Attacker(330, True, -0.5, 91634669, 1699307293, 99000645, ship_type_id=16242, weapon_type_id=16242),
        ),
    )


def test_the_xml_apis_shape_is_read() -> None:
    assert decode_killmail(encode(XML)) == Killmail(
        killmail_id=50129206,
        killmail_time=datetime(2015, 11, 12, 8, 31, 57, tzinfo=UTC),
        solar_system_id=31001669,
        moon_id=40437462,
        victim=Victim(
            ship_type_id=20060,
            damage_taken=13532616,
            corporation_id=98142695,
            alliance_id=99004557,
            position=Position(1346497290240.0, 21224693760.0, -998232514560.0),
            items=(Item(34, 5, quantity_dropped=3, quantity_destroyed=0),),
        ),
        attackers=(
            Attacker(2586683, False, 1.1, 1399881500, 98400028, ship_type_id=4306, weapon_type_id=4306),
            Attacker(2519495, True, 5.0, 92973922, 98400028),
        ),
    )


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (CREST | {"killTime": "KILLTIME"}, "$.killTime"),
        (CREST | {"solarSystem": {"name": "Jita"}}, "$.solarSystem.id"),
        (CREST | {"killID": "many"}, "$.killID"),
        (XML | {"attackers": [{"shipTypeID": "x", "finalBlow": 1}]}, "$.attackers[0].shipTypeID"),
        (XML | {"items": [{"typeID": 34, "flag": 5, "qtyDropped": 1.5}]}, "$.items[0].qtyDropped"),
    ],
)
def test_a_refusal_names_the_field_as_the_source_spelt_it(body: object, path: str) -> None:
    with pytest.raises(Malformed) as caught:
        decode_killmail(encode(body))
    assert caught.value.path == path


@pytest.mark.parametrize("text", ["", "1_000", " 1", "+1", "0x10", "١", "1e3", "9" * 20])
def test_only_plain_digits_are_a_number_in_text(text: str) -> None:
    with pytest.raises(Malformed):
        decode_killmail(encode(make_body(killmail_id=text)))


@pytest.mark.parametrize("text", ["nan", "inf", "1_0", "", "1e400"])
def test_only_a_plain_decimal_is_a_security_status_in_text(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        decode_killmail(encode(make_body(attackers=[{"final_blow": True, "security_status": text}])))
    assert caught.value.path == "$.attackers[0].security_status"


def test_the_real_old_mails_decode_and_their_known_hashes_hold(data: Path) -> None:
    read = {}
    refused = []
    for line in (data / "killmails" / "legacy_shapes.jsonl").read_bytes().splitlines():
        envelope = unwrap(line)
        try:
            mail = decode_killmail(envelope.body)
        except Malformed as error:
            refused.append(error.path)
        else:
            read[mail.killmail_id] = envelope.hash is None or killmail_hash(mail).hex() == envelope.hash
    assert read == {50129206: True, 49132605: True, 30290604: True, 64375347: True}
    assert refused == ["$.killTime", "$.killTime"]
