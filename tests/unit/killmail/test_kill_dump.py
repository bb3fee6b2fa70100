"""The kill dump of the Monthly Economic Report: what is one, what it tells, and the hash that follows."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.fits import read_mails
from killreport.errors import Malformed
from killreport.killmail.mail.archive import read_records
from killreport.killmail.mail.hash import killmail_hash
from killreport.killmail.mail.kill_dump import read_claimed
from killreport.killmail.mail.model import Killmail

KILL: dict[str, Any] = {
    "kill_id": 107000001,
    "kill_dt": "2023-02-03 04:05:06",
    "solarsystem_id": 30000142,
    "battle_id": 7,
    "victim": {"character_id": 95000001, "corporation_id": 98000001, "alliance_id": None, "ship_type_id": 587},
    "killer": {"character_id": 95000002, "corporation_id": 98000002, "alliance_id": 99000001, "ship_type_id": 588},
    "attackers": [],
}
# Of "95000001" "95000002" "587" and the ticks of that second.
HASH = "89c33e566d1eaece7c2649677757484d314017a3"


def records(content: bytes, name: str = "kill_dump.json") -> list[tuple[str, bytes]]:
    return [(record.reference, record.body) for record in read_records(io.BytesIO(content), name)]


def dumped(mail: Killmail) -> bytes:
    """Return the mail as the dump tells of it."""
    killer = next(attacker for attacker in mail.attackers if attacker.final_blow)
    return msgspec.json.encode(
        {
            "kill_id": mail.killmail_id,
            "kill_dt": f"{mail.killmail_time:%Y-%m-%d %H:%M:%S}",
            "victim": {"character_id": mail.victim.character_id, "ship_type_id": mail.victim.ship_type_id},
            "killer": {"character_id": killer.character_id or 0, "ship_type_id": killer.ship_type_id},
        }
    )


def test_the_hash_is_that_of_the_killmail(data: Path) -> None:
    mails = [mail for mail in read_mails(data, with_days=False) if any(one.final_blow for one in mail.attackers)]
    claims = [read_claimed(dumped(mail), "x") for mail in mails]

    assert len(mails) > 1000
    assert [(claim.killmail_id, claim.hash) for claim in claims if claim] == [
        (mail.killmail_id, killmail_hash(mail)) for mail in mails
    ]


def test_a_dump_is_a_list_or_lines_and_the_kills_of_both_are_the_same() -> None:
    as_list = records(msgspec.json.encode([KILL, KILL]))
    as_lines = records(msgspec.json.encode(KILL) + b"\n" + msgspec.json.encode(KILL))
    first, second = (read_claimed(body, "x") for _, body in (as_list[1], as_lines[1]))

    assert first is not None
    assert second is not None
    assert (first.killmail_id, first.hash.hex()) == (second.killmail_id, second.hash.hex()) == (107000001, HASH)
    assert [reference for reference, _ in as_lines] == ["kill_dump.json:1", "kill_dump.json:2"]


@pytest.mark.parametrize("separator", ["_", "."])
def test_a_dump_as_a_table_says_the_same(separator: str) -> None:
    head = "kill_id,kill_dt,solarsystem_id,victim{0}character_id,victim{0}ship_type_id,killer{0}character_id\r\n"
    table = head.format(separator).encode() + (
        b'107000001,"2023-02-03 04:05:06",30000142,95000001.0,587,95000002.0\r\n'
        b"\r\n"
        b"107000002,2023-02-03T04:05:06Z,30000142,,35832,\r\n"
    )
    found = records(table, "dump.csv")
    first, second = (read_claimed(body, reference) for reference, body in found)

    assert [reference for reference, _ in found] == ["dump.csv:2", "dump.csv:4"]
    assert first is not None
    assert first.hash.hex() == HASH
    nobody = read_claimed(
        msgspec.json.encode(KILL | {"kill_id": 107000002, "victim": {"ship_type_id": 35832}, "killer": None}), "x"
    )
    assert second is not None
    assert nobody is not None
    assert second.hash == nobody.hash


@pytest.mark.parametrize(
    "head",
    [
        b"kill_datetime,kill_solarsystem_id,victim_ship_type_id,victim_corporation_id,killer_corporation_id,isk_lost",
        b"killTime,bountyClaimed,destroyedShipGroup,destroyedShipTypeID,destroyedShipType,victimCorporationID",
    ],
)
def test_the_reports_own_tables_have_too_little(head: bytes) -> None:
    with pytest.raises(Malformed, match=r"without kill_id, .*kill_dump.json of the same report"):
        records(head + b"\n1,2,3,4,5,6\n", "kill_dump.csv")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"kill_id": "x"}, "$.kill_id"),
        ({"kill_id": 0}, "$.kill_id"),
        ({"kill_dt": "yesterday"}, "$.kill_dt"),
        ({"kill_dt": None}, "$.kill_dt"),
        ({"victim": None}, "$.victim"),
        ({"victim": {"character_id": 1}}, "$.victim.ship_type_id"),
        ({"killer": 5}, "$.killer"),
        ({"killer": {"character_id": -1}}, "$.killer.character_id"),
    ],
)
def test_a_kill_that_cannot_be_is_refused_with_its_field(change: dict[str, Any], path: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_claimed(msgspec.json.encode(KILL | change), "x")
    assert refused.value.path == path


@pytest.mark.parametrize(
    "cell", ["\u00b2", "\u00b2.0", "\u0661.0", 400 * "9" + ".0", 5_000 * "9", "9007199254740993.5"]
)
def test_a_cell_that_is_no_number_is_refused_with_its_row(cell: str) -> None:
    head = b"kill_id,kill_dt,victim_character_id,victim_ship_type_id,killer_character_id\r\n"
    bad = f"107000001,2023-02-03 04:05:06,95000001,587,{cell}\r\n".encode()
    good = b"9007199254740993.0,2023-02-03 04:05:06,95000001,587,95000002\r\n"
    first, second = (body for _, body in records(head + bad + good, "dump.csv"))

    with pytest.raises(Malformed):
        read_claimed(first, "x")
    claim = read_claimed(second, "x")
    assert claim is not None
    assert claim.killmail_id == 9007199254740993


@pytest.mark.parametrize(
    "body", [b'{"killmail_id": 1, "kill_id": 1, "victim": {}}', b'{"kill_id": 1}', b'"kill_id"', b"{", b"[1]"]
)
def test_what_is_none_is_left_to_others(body: bytes) -> None:
    assert read_claimed(body, "x") is None
