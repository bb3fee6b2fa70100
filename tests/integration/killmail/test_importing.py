"""An import stores what a file holds, says what it could not store, and goes on where it stopped."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import msgspec
import pytest

from killreport.db.database import Database
from killreport.ingest.importing import FINISHED, ImportTally, import_file, import_stream
from killreport.killmail.stored.quarantine import list_quarantine
from killreport.killmail.stored.queries import feed_status
from killreport.killmail.writing.recount import recount_differences
from killreport.killmail.writing.store import FeedCursor, KillmailWriter, find_cursor
from tests.integration.killmail.mails import body


def lines(*ids: int) -> bytes:
    return b"".join(msgspec.json.encode(body(mail_id)) + b"\n" for mail_id in ids)


async def stored_ids(database: Database) -> list[int]:
    async with database.connection() as connection:
        return [row[0] for row in await connection.fetch("select killmail_id from killmail order by 1")]


async def test_every_line_is_stored_known_or_quarantined(database: Database, writer: KillmailWriter) -> None:
    content = lines(1, 2, 1) + b'{"killmail_id": 9}\nnot json\n' + lines(3)
    tally = await import_stream(database, writer, io.BytesIO(content), name="day.jsonl", batch_size=2)

    assert tally == ImportTally(read=6, stored=3, duplicate=1, quarantined=2)
    assert await stored_ids(database) == [1, 2, 3]
    async with database.connection() as connection:
        entries = await list_quarantine(connection, 10)
        assert await recount_differences(connection) == []
    assert [entry.reject.reference for entry in entries] == ["day.jsonl:4", "day.jsonl:5"]
    assert [entry.reject.body for entry in entries] == [b'{"killmail_id": 9}', b"not json"]


async def test_the_same_file_again_stores_nothing(database: Database, writer: KillmailWriter) -> None:
    content = lines(*range(1, 8))
    await import_stream(database, writer, io.BytesIO(content), name="day", batch_size=3)
    again = await import_stream(database, writer, io.BytesIO(content), name="day", batch_size=3)
    assert again == ImportTally(read=7, stored=0, duplicate=7)


async def test_where_a_file_stands_is_not_taken_for_where_the_feed_stands(
    database: Database, writer: KillmailWriter
) -> None:
    await writer.store(database, [], cursor=FeedCursor("r2z2", 1000))
    await import_stream(database, writer, io.BytesIO(lines(1)), name="x", resume_key="k")
    async with database.connection() as connection:
        status = await feed_status(connection)
    assert (status.feed_sequence, status.killmail_count) == (999, 1)


class Unplugged(Exception):
    pass


async def test_an_interrupted_import_goes_on_where_it_stopped(database: Database, writer: KillmailWriter) -> None:
    content = lines(*range(1, 11))
    seen: list[int] = []

    def unplug(part: ImportTally, _position: int) -> None:
        seen.append(part.read)
        if len(seen) == 2:
            raise Unplugged

    with pytest.raises(Unplugged):
        await import_stream(
            database, writer, io.BytesIO(content), name="x", resume_key="k", on_progress=unplug, batch_size=3
        )
    assert await stored_ids(database) == [1, 2, 3, 4, 5, 6]

    rest = await import_stream(database, writer, io.BytesIO(content), name="x", resume_key="k", batch_size=3)
    assert rest == ImportTally(read=4, stored=4)
    async with database.connection() as connection:
        assert await find_cursor(connection, "import:k") == FINISHED
    done = await import_stream(database, writer, io.BytesIO(content), name="x", resume_key="k", batch_size=3)
    assert done == ImportTally()


async def test_a_file_cut_short_is_a_failure_and_what_it_had_is_stored(
    database: Database, writer: KillmailWriter, tmp_path: Path
) -> None:
    whole = gzip.compress(b"".join(lines(mail_id) + b" " * 100_000 + b"\n" for mail_id in range(1, 60)), 0)
    path = tmp_path / "day.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    parts: list[ImportTally] = []
    tally = await import_file(database, writer, path, resume=True, on_progress=lambda part, _: parts.append(part))

    assert tally.failures[0].startswith("day.jsonl.gz is damaged or cut short")
    assert tally.read == tally.stored == len(await stored_ids(database)) > 20
    # The cut-short file is not taken for finished: its whole successor has other contents anyhow.
    assert sum(part.read for part in parts) == tally.read


async def test_real_odd_mails_are_all_stored_once(database: Database, writer: KillmailWriter, data: Path) -> None:
    path = data / "killmails" / "odd_shared.jsonl.zst"
    first = await import_file(database, writer, path, resume=False, on_progress=lambda *_: None)
    again = await import_file(database, writer, path, resume=False, on_progress=lambda *_: None)

    assert first == ImportTally(read=1042, stored=1042)
    assert again == ImportTally(read=1042, duplicate=1042)
    async with database.connection() as connection:
        assert await recount_differences(connection) == []


async def test_malformed_mails_are_stored_or_quarantined_line_by_line(
    database: Database, writer: KillmailWriter, data: Path
) -> None:
    path = data / "killmails" / "weird_inputs.jsonl.zst"
    tally = await import_file(database, writer, path, resume=False, on_progress=lambda *_: None)
    assert tally.read == 37
    assert tally.failures == []
    assert tally.stored + tally.duplicate + tally.quarantined == 37
    async with database.connection() as connection:
        entries = await list_quarantine(connection, 100)
    assert all(entry.reject.path.startswith("$") and entry.reject.reason for entry in entries)
    assert all(json.loads(entry.reject.body)["why"] for entry in entries)


async def test_files_whose_names_are_not_utf_8_are_imported(
    database: Database, writer: KillmailWriter, tmp_path: Path
) -> None:
    path = tmp_path / b"m\xe4rz.jsonl".decode(errors="surrogateescape")
    path.write_bytes(lines(1, 2) + b"\nnot json\n")

    tally = await import_file(database, writer, path, resume=True, on_progress=lambda *_: None)

    assert tally == ImportTally(read=3, stored=2, quarantined=1)
    async with database.connection() as connection:
        assert await connection.fetchval("select reference from quarantine") == r"m\xe4rz.jsonl:4"


async def test_what_is_bad_in_a_tar_is_quarantined_and_the_rest_is_stored(
    database: Database, writer: KillmailWriter
) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as made:
        for number, content in enumerate((lines(1), b"[" * 5000 + b"]" * 5000, lines(2), b"", b"<html>", lines(3))):
            info = tarfile.TarInfo(f"{number}-\udcff.json")
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("link.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        made.addfile(link)

    tally = await import_stream(database, writer, io.BytesIO(target.getvalue()), name="day.tar")

    assert (tally.failures, tally.read, tally.stored, tally.quarantined) == ([], 7, 3, 4)
    async with database.connection() as connection:
        found = await connection.fetch("select reference, reason from quarantine order by reference")
    assert [tuple(row) for row in found] == [
        (r"day.tar:1-\xff.json", "it is nested too deeply"),
        (r"day.tar:3-\xff.json", "it is not JSON that can be read (it is empty)"),
        (r"day.tar:4-\xff.json", "it is not JSON that can be read (it looks like HTML)"),
        ("day.tar:link.json", "it is a link, not a file"),
    ]


async def test_that_a_file_is_damaged_is_noted_in_the_quarantine(database: Database, writer: KillmailWriter) -> None:
    packed = gzip.compress(lines(*range(1, 200)))

    tally = await import_stream(database, writer, io.BytesIO(packed[:-40]), name="day.jsonl.gz")

    assert (len(tally.failures), tally.quarantined) == (1, tally.read - tally.stored)
    assert tally.stored > 100
    async with database.connection() as connection:
        reason = await connection.fetchval("select reason from quarantine where reference = 'day.jsonl.gz'")
    assert reason.startswith("day.jsonl.gz is damaged or cut short")
