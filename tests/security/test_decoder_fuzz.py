"""A fuzz target for each decoder: whatever comes in, a value that every column holds, or Malformed with its place."""

from __future__ import annotations

import asyncio
import bz2
import contextlib
import functools
import gzip
import io
import tarfile
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from killreport.decoding import decode_json
from killreport.errors import KillreportError, Malformed, Transient, Unavailable
from killreport.esi import model
from killreport.eve.importer import read_static_data
from killreport.eve.load import keep_packaged_universe
from killreport.http import retry_after
from killreport.ingest.everef import read_market_day
from killreport.killmail.mail.archive import read_records
from killreport.killmail.mail.arrival import read_arrival
from killreport.killmail.mail.hash import killmail_hash
from killreport.killmail.mail.kill_dump import read_claimed, read_table
from killreport.killmail.mail.zkb import read_zkb_block
from killreport.killmail.writing.derive import derive
from killreport.market.price import PriceBook
from killreport.queueing.messages import MESSAGE_OF, decode
from killreport.sim.access.faults import InjectedFaults
from killreport.sim.access.rules import read_rules
from killreport.sim.world.changes import Changes
from killreport.zkillboard import history, package
from killreport.zkillboard.character_list import read_page
from killreport.zkillboard.killmail_link import MAX_LINK, read_link, read_links
from tests.security.fuzzing import TOKENS, assert_storable, checked, damaged, hostile_documents
from tests.unit.eve.archives import archive_of
from tests.unit.killmail.bodies import make_body
from tests.unit.killmail.test_legacy import CREST, XML
from tests.unit.zkillboard.hosts import HASH

KILLMAIL = make_body()
BLOCK = {"locationID": 5, "hash": HASH, "points": 3, "npc": False, "labels": ["pvp"], "totalValue": 1.5}
R2Z2 = {"killmail_id": 97_000_001, "hash": HASH, "esi": KILLMAIL, "zkb": BLOCK, "sequence_updated": 3}
REDISQ = {"package": {"killID": 97_000_001, "killmail": KILLMAIL, "zkb": BLOCK}}
LISTED = [{**KILLMAIL, "zkb": BLOCK}, {"killmail_id": 7, "zkb": {"hash": HASH}}]

ESI: dict[str, tuple[Any, Any]] = {
    "character": (
        model.EsiCharacter,
        {"name": "A", "corporation_id": 1, "birthday": "2010-01-01T00:00:00Z", "security_status": 0.5, "title": "x"},
    ),
    "corporation": (
        model.EsiCorporation,
        {
            "name": "A",
            "ticker": "A",
            "member_count": 1,
            "date_founded": "2010-01-01T00:00:00Z",
            "tax_rates": {"isk": 1},
        },
    ),
    "alliance": (
        model.EsiAlliance,
        {
            "name": "A",
            "ticker": "A",
            "creator_id": 1,
            "creator_corporation_id": 1,
            "date_founded": "2010-01-01T00:00:00Z",
        },
    ),
    "ids": (list[model.Id], [1, 2, 3]),
    "affiliations": (list[model.EsiAffiliation], [{"character_id": 1, "corporation_id": 2, "alliance_id": 3}]),
    "names": (list[model.EsiName], [{"id": 1, "name": "A", "category": "character"}]),
    "type": (model.EsiType, {"type_id": 1, "name": "A", "group_id": 2, "published": True, "mass": 1.5}),
    "group": (model.EsiGroup, {"group_id": 1, "name": "A", "category_id": 2, "published": True}),
    "category": (model.EsiCategory, {"category_id": 1, "name": "A", "published": True}),
    "prices": (list[model.MarketPrice], [{"type_id": 1, "average_price": 2.5, "adjusted_price": 3}]),
    "refs": (list[model.KillmailRef], [{"killmail_id": 1, "killmail_hash": HASH}]),
}


@functools.cache
def prices() -> PriceBook:
    return PriceBook(keep_packaged_universe(), {})


def told(refused: Malformed, place: str = "$") -> None:
    assert refused.reason
    assert refused.path.startswith(place)
    str(refused).encode()


@checked
@given(hostile_documents(KILLMAIL, CREST, XML, R2Z2, REDISQ, *LISTED))
def test_killmails(raw: bytes) -> None:
    """And what is worked out from one: every row of it, and every sum."""
    try:
        arrival = read_arrival(raw, "test", "test:1")
        universe = keep_packaged_universe()
        mail, location_id = arrival.mail, arrival.location_id
        killmail_hash(mail)
        derived = derive(mail, universe, prices(), source="test", location_id=location_id)
    except Malformed as refused:
        told(refused)
    else:
        assert_storable(derived.killmail)


@checked
@given(hostile_documents(R2Z2), hostile_documents(REDISQ), hostile_documents(LISTED[0], LISTED[1]))
def test_packages(r2z2: bytes, redisq: bytes, listed: bytes) -> None:
    for read, raw in ((lambda raw: package.decode_package(raw, 1), r2z2), (package.decode_redisq, redisq),
                      (package.decode_listed, listed)):  # fmt: skip
        try:
            found = read(raw)
        except Malformed as refused:
            told(refused)
        else:
            assert found is None or 0 < found.killmail_id < 2**63
            assert found is None or len(found.hash) in (0, 40)


@checked
@given(hostile_documents(LISTED, {"error": "no"}, {"7": LISTED[0]}))
def test_lists(raw: bytes) -> None:
    with contextlib.suppress(Transient):
        for found in read_page(raw):
            if isinstance(found, package.UnreadablePackage):
                assert found.reason


@checked
@given(hostile_documents(BLOCK))
def test_blocks(raw: bytes) -> None:
    block = read_zkb_block(msgspec.Raw(raw))
    if block is not None:
        assert_storable((block.location_id, block.points, block.total_value, block.is_npc))


@checked
@given(hostile_documents({"20260101": 5, "20260102": 6}), hostile_documents({"97000001": HASH}))
def test_days_of_the_history(totals: bytes, hashes: bytes) -> None:
    async def read() -> None:
        for raw in (totals, hashes):
            found = history.HistoryReader(_Fetch(raw), "")
            for ask in (found.totals, functools.partial(found.hashes, date(2026, 1, 1))):
                try:
                    answer: Any = await ask()
                    assert_storable(answer)
                except Malformed as refused:
                    told(refused)

    asyncio.run(read())


@checked
@given(damaged(b'{"1":' + msgspec.json.encode(KILLMAIL) + b', "2": {"a":{"3": {}}}}'), st.integers(1, 400))
def test_members_of_a_raw_day(raw: bytes, piece: int) -> None:
    async def read() -> None:
        with contextlib.suppress(Malformed, Unavailable):
            async for name, body in history.split_members(_pieces(raw, piece)):
                assert 0 <= name < 10**19
                assert len(body) <= len(raw)

    asyncio.run(read())


@pytest.mark.parametrize("name", ESI)
def test_answers_of_esi(name: str) -> None:
    shape, document = ESI[name]
    # The document as it is must pass, or nothing is tried here.
    assert_storable(decode_json(msgspec.json.encode(document), shape))

    @checked
    @given(hostile_documents(document))
    def target(raw: bytes) -> None:
        try:
            assert_storable(decode_json(raw, shape))
        except Malformed as refused:
            told(refused)

    target()


@checked
@given(st.sampled_from(sorted(MESSAGE_OF)), st.data())
def test_messages(queue: str, data: st.DataObject) -> None:
    fields = {field.name: 7 for field in msgspec.structs.fields(MESSAGE_OF[queue])}
    try:
        assert_storable(decode(queue, data.draw(hostile_documents(fields))))
    except Malformed as refused:
        told(refused)


def _tar() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as made:
        for name in ("a.json", "n" * 150 + ".json", "\u00e9.json", "notes.txt"):
            info = tarfile.TarInfo(name)
            info.size = 40
            made.addfile(info, io.BytesIO(b'{"killmail_id":1,"victim":{}}' + b" " * 11))
    return target.getvalue()


LINES = b"\n".join([msgspec.json.encode(KILLMAIL)] * 3)
DAY = b'{"1":' + msgspec.json.encode(KILLMAIL) + b',"2":' + msgspec.json.encode(KILLMAIL) + b"}"
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda plain: plain,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "zstandard": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("plain", [_tar(), LINES, DAY, b"[" + DAY + b"]"], ids=["tar", "lines", "day", "list"])
def test_files(plain: bytes, packer: str) -> None:
    pack = PACKERS[packer]

    @checked
    @given(damaged(pack(plain)) | damaged(plain).map(pack))
    @example(pack(plain))
    def target(raw: bytes) -> None:
        with contextlib.suppress(Malformed):
            for record in read_records(io.BytesIO(raw), "file"):
                record.reference.encode()
                assert record.reference.startswith("file")
                assert record.fault != ""

    target()


@checked
@given(st.data())
def test_archives_of_ccp(data: st.DataObject) -> None:
    whole = archive_of().getvalue()
    lines = [
        {"_key": 587, "name": {"en": "Rifter"}, "groupID": 25, "published": True, "basePrice": 4.0, "metaGroupID": 1},
        {"_key": "sde", "buildNumber": 77, "releaseDate": "2026-01-02T03:04:05Z"},
        {"_key": 30000142, "name": {"en": "Jita"}, "constellationID": 1, "regionID": 2, "securityStatus": 0.9},
    ]
    file = data.draw(st.sampled_from(["types.jsonl", "_sde.jsonl", "mapSolarSystems.jsonl", "typeDogma.jsonl"]))
    raw = data.draw(damaged(whole) | hostile_documents(*lines).map(lambda line: archive_of({file: line}).getvalue()))
    try:
        found = read_static_data(io.BytesIO(raw), "test.zip")
    except Malformed as refused:
        told(refused, "")
        return
    assert_storable([row for table in found.tables for row in table.rows])
    assert_storable(found.released_at)


MARKET = b"average,date,highest,lowest,order_count,volume,http_last_modified,region_id,type_id\n" + b"".join(
    b"%d.5,2026-11-22,9,1,3,100,2026-11-23T11:07:00Z,10000002,%d\n" % (number, number) for number in range(30, 40)
)
CELLS = st.sampled_from(
    [
        b"1e999999",
        b"NaN",
        b"-1",
        b"Infinity",
        b"9" * 5000,
        b'"' + b"x" * 140_000,
        b"\0",
        b"\xff",
        b"",
        b'"',
        b"1_0",
        b",,",
    ]
)


@checked
@given(st.data())
def test_market_days(data: st.DataObject) -> None:
    plain = MARKET.replace(b"33.5", data.draw(CELLS)).replace(b",35\n", b",%s\n" % data.draw(CELLS))
    raw = data.draw(damaged(bz2.compress(plain)) | damaged(plain).map(bz2.compress) | st.just(bz2.compress(plain)))
    try:
        rows = read_market_day(raw, date(2026, 11, 22))
    except Malformed as refused:
        told(refused, "line ")
        return
    assert_storable(rows)


@checked
@given(
    hostile_documents({"moved": {"1": 2}, "renamed": {"3": "x"}, "gone": [4]}),
    hostile_documents({"rate_429": 0.5}),
    hostile_documents([{"where": "/x", "status": 500, "share": 0.5}]),
)
def test_what_the_simulator_is_told(changes: bytes, faults: bytes, rules: bytes) -> None:
    for read, raw in ((Changes().added, changes), (InjectedFaults().changed, faults), (read_rules, rules)):
        with contextlib.suppress(KillreportError):
            read(raw)


@checked
@given(st.text(max_size=300) | st.from_regex(r"https?://(www\.)?zkillboard\.com/kill/[0-9]{1,30}/?", fullmatch=True))
def test_links(text: str) -> None:
    with contextlib.suppress(Malformed):
        assert 0 < read_link(text).killmail_id < 2**63
    with contextlib.suppress(Malformed):
        for link in read_links(text):
            assert len(link.text) <= MAX_LINK
            assert link.killmail is None or 0 < link.killmail.killmail_id < 2**63


@checked
@given(
    hostile_documents({"kill_id": 1, "kill_dt": "2023-02-01 00:00:00", "victim": {"ship_type_id": 587}, "killer": {}})
)
def test_kill_dumps(raw: bytes) -> None:
    with contextlib.suppress(Malformed):
        claim = read_claimed(raw, "x")
        assert claim is None or (0 < claim.killmail_id < 2**63 and len(claim.hash) == 20)


@checked
@given(st.binary(max_size=300))
def test_kill_dumps_as_tables(rows: bytes) -> None:
    head = b"kill_id,kill_dt,victim_character_id,victim_ship_type_id,killer_character_id\n"
    with contextlib.suppress(Malformed):
        for _number, raw in read_table(io.BytesIO(head + rows), "x"):
            with contextlib.suppress(Malformed):
                read_claimed(raw, "x")


@checked
@given(st.sampled_from(["Retry-After", "X-ESI-Error-Limit-Reset"]), st.text(max_size=40) | TOKENS.map(repr))
@example("Retry-After", "\u00b2")
@example("Retry-After", "Fri, 31 Dec 9999 23:59:59 -2359")
@example("Retry-After", "Fri, 31 Dec 99999999999999999999 23:59:59 GMT")
@example("Retry-After", "Fri, 31 Dec 2026 23:59:59 +999999999999999999")
def test_headers(name: str, text: str) -> None:
    seconds = retry_after({name: text})
    assert seconds is None or 0 <= seconds <= 3600


class _Fetch:
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def get(self, url: str, params: object = None) -> bytes:
        return self._body

    async def stream(self, url: str) -> AsyncIterator[bytes]:
        yield self._body


async def _pieces(raw: bytes, size: int) -> AsyncIterator[bytes]:
    for first in range(0, len(raw), size):
        yield raw[first : first + size]
