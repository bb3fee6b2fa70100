"""The kill dump of CCP's Monthly Economic Report: every kill of a month by its id, without items, damage or a hash.

Each kill is an object with `kill_id`, `kill_dt`, `victim` and `killer`, both of them with `character_id` and
`ship_type_id`. That is what the hash is made of, so that ESI can be asked for the killmail itself.
Source: `kill_dump.json` of the reports since February 2023, as https://github.com/hooper82/mer_kill_dump_example reads
it; the CSV files of the reports (`Killdump.csv` to 2021-04, `kill_dump.csv` since) name no kill and no pilot. Checked
2026-11-30.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import msgspec

from killreport.decoding import UNREADABLE
from killreport.errors import Malformed
from killreport.ids import MAX_ID, read_whole
from killreport.killmail.mail.hash import hash_of
from killreport.killmail.mail.legacy import Fields

MAX_ROW_BYTES = 2**20  # a real one has some hundreds
_TIMES = ("kill_dt", "kill_datetime", "kill_time")
_PARTIES = ("victim", "killer")
# What no other table of comma-separated values has; the last two are those of the reports' own CSV files.
_MARKS = frozenset({"kill_id", *_TIMES, "killtime", "victim_ship_type_id", "destroyedshiptypeid"})
_NEEDED = ("kill_id", "victim_character_id", "victim_ship_type_id", "killer_character_id")
_NOTHING = frozenset({"", "nan", "null", "none", "\\n", "na"})


@dataclass(frozen=True, slots=True)
class ClaimedKill:
    """A kill that is only told of. hash: what its killmail must have. reference, body: where and how it was told."""

    killmail_id: int
    hash: bytes
    reference: str
    body: bytes


def read_claimed(body: bytes, reference: str) -> ClaimedKill | None:
    """Return the kill that a document of the dump tells of, None for any other document.

    Raises Malformed for one of the dump that cannot be read.
    """
    # Nearly all documents are killmails: this looks at them once, and decodes none.
    if b'"kill_id"' not in body or b'"killmail_id"' in body:
        return None
    try:
        document = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    if not isinstance(document, dict) or "victim" not in document:
        return None
    root = Fields(document, "$")
    killmail_id = root.id("kill_id", most=MAX_ID, is_required=True)
    time = root.time(*_TIMES)
    victim = root.part("victim")
    # Where nobody is named, as where a structure struck the final blow, the hash says so, too.
    killer_id = None if document.get("killer") is None else root.part("killer").id("character_id")
    hash_ = hash_of(victim.id("character_id"), killer_id, victim.id("ship_type_id", is_required=True), time)
    return ClaimedKill(killmail_id, hash_, reference, body)


def is_table(head: bytes) -> bool:
    """Tell whether a file that begins so is a kill dump as comma-separated values, of any kind."""
    first = head.lstrip().partition(b"\n")[0]
    if first.startswith((b"{", b"[")) or b"," not in first:
        return False
    return len(_MARKS.intersection(_columns(first))) > 1


def read_table(stream: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """Yield each row of such a file as a document of the dump, with the number of its line.

    The columns are called as in the dump, `victim_character_id` or `victim.character_id`. Raises Malformed where they
    do not tell which kill and which pilots are meant, or a row is too long to be one.
    """
    columns = _columns(stream.readline(MAX_ROW_BYTES))
    missing = [column for column in _NEEDED if column not in columns]
    if missing:
        raise Malformed(
            f"{name} is a kill dump without {', '.join(missing)}, so its killmails cannot be fetched; "
            "kill_dump.json of the same report has all of it"
        )
    number = 1
    while line := stream.readline(MAX_ROW_BYTES):
        number += 1
        if len(line) == MAX_ROW_BYTES:
            raise Malformed(f"line {number} of {name} is longer than {MAX_ROW_BYTES // 2**20} MB")
        if line.strip():
            yield number, msgspec.json.encode(_document(columns, _cells(line)))


def _columns(line: bytes) -> list[str]:
    return [column.strip().strip('"').lower().replace(".", "_") for column in _cells(line)]


def _cells(line: bytes) -> list[str]:
    text = line.decode("utf-8", "replace").strip("\r\n")
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        return []


def _document(columns: list[str], cells: list[str]) -> dict[str, object]:
    """Return the row as the dump has it in JSON. What stands in no column is left out."""
    row = {column: _value(cell) for column, cell in zip(columns, cells, strict=False)}
    document: dict[str, object] = {column: row[column] for column in ("kill_id", *_TIMES) if column in row}
    for party in _PARTIES:
        named = {key: row.get(f"{party}_{key}") for key in ("character_id", "ship_type_id")}
        document[party] = named
    return document


def _value(cell: str) -> str | int | None:
    """Return a cell, None where it is empty, a whole number where a table calculator wrote it as `95123456.0`."""
    text = cell.strip()
    if text.lower() in _NOTHING:
        return None
    whole = read_whole(text.removesuffix(".0"))
    return text if whole is None else whole
