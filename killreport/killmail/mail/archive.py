"""Read killmails out of files: what a file is, is told by its first bytes, never by its name.

Known: one killmail, a list of them, JSON lines, zKillboard's history/raw (`{"id": body}`), EVE Ref's day archives (a
tar of one JSON file a killmail), the kill dump of CCP's Monthly Economic Report, also as comma-separated values; each
as it is or compressed by gzip, bzip2 or zstandard. Everything is streamed; only
a file that is a single JSON document has to be in memory as a whole.
"""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, cast

import msgspec
import zstandard

from killreport.decoding import BYTE_ORDER_MARK, UNREADABLE
from killreport.errors import Malformed, NotFound
from killreport.killmail.mail.kill_dump import is_table, read_table
from killreport.killmail.mail.splitting import split_loosely
from killreport.killmail.mail.tar import read_members
from killreport.killmail.mail.unpacking import FORMATS, Unpacked

MAX_DOCUMENT_BYTES = 512 * 2**20  # a raw day of 100,000 killmails is about half of it
MAX_LINE_BYTES = 64 * 2**20  # the largest real killmail is under 1 MB
PEEK = 256 * 1024
TAR_MAGIC = slice(257, 262)
BROKEN_STREAM = (EOFError, OSError, ValueError, zlib.error, zstandard.ZstdError)
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# What people have at hand too, and what it is called.
OTHER_ARCHIVES = {b"PK\x03\x04": "a zip archive", b"\xfd7zXZ\x00": "packed by xz", b"7z\xbc\xaf": "a 7z archive"}


class ArchiveRecord(NamedTuple):
    """One document of a file. reference: the file's name and, inside it, the line, member or key.

    fault: why it cannot be read, where that is known without looking into it; the body may be a part of it then.
    """

    reference: str
    body: bytes
    fault: str | None = None


def name_of(path: Path) -> str:
    """Return what a file is called, in text that can be stored and shown: a name need not be UTF-8."""
    return os.fsencode(path.name).decode("utf-8", "backslashreplace")


def list_files(paths: list[Path]) -> list[Path]:
    """Return the files that the paths name, folders searched through, each folder's in order of name.

    Raises NotFound for a path that does not exist.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(entry for entry in path.rglob("*") if entry.is_file() and not entry.name.startswith("."))
        elif path.exists():
            found.append(path)
        else:
            raise NotFound(f"{path} does not exist.")
    return found


def read_records(stream: IO[bytes], name: str) -> Iterator[ArchiveRecord]:
    """Yield the documents of an open file, in their order.

    name: how references call the file. Raises Malformed where the container itself is broken or is none of the known
    kinds; what was yielded before is good.
    """
    try:
        plain, head = _peek(_decompress(_Borrowed(stream)))
        if head.startswith(BYTE_ORDER_MARK):
            plain.read(len(BYTE_ORDER_MARK))
            head = head[len(BYTE_ORDER_MARK) :]
        for magic, what in OTHER_ARCHIVES.items():
            if head.startswith(magic):
                raise Malformed(f"{name} is {what}; unpack it first")
        if head[TAR_MAGIC] == b"ustar":
            yield from _read_tar(plain, name)
        elif not head.strip():
            yield from ()
        elif head.startswith(UTF_16):
            yield ArchiveRecord(f"{name}:1", plain.read(MAX_LINE_BYTES), "it is UTF-16, not UTF-8")
        elif is_table(head):
            yield from (ArchiveRecord(f"{name}:{number}", row) for number, row in read_table(plain, name))
        elif _is_document_per_line(head):
            yield from _read_lines(plain, name)
        else:
            yield from _read_document(plain, name)
    except BROKEN_STREAM as error:
        raise Malformed(f"{name} is damaged or cut short ({error})") from None


class _Borrowed(io.RawIOBase):
    """Reads from a stream that stays its owner's to close, whatever is put around this one."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._stream.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


def _peek(stream: IO[bytes] | io.RawIOBase) -> tuple[IO[bytes], bytes]:
    reader = io.BufferedReader(cast("io.RawIOBase", stream), buffer_size=PEEK)
    return reader, reader.peek(PEEK)


def _decompress(stream: io.RawIOBase) -> IO[bytes]:
    reader, head = _peek(stream)
    magic = next((magic for magic in FORMATS if head.startswith(magic)), None)
    return reader if magic is None else cast("IO[bytes]", Unpacked(cast("io.BufferedReader", reader), magic))


def _is_document_per_line(head: bytes) -> bool:
    """Tell JSON lines from one document: the first line of JSON lines is whole, and more follows or it is a mail."""
    first, newline, rest = head.lstrip().partition(b"\n")
    if not newline and len(head) >= PEEK:
        return False
    if first.startswith(b"["):
        return False
    try:
        value = msgspec.json.decode(first)
    except UNREADABLE:
        # A broken first line that is closed before more JSON follows is still JSON lines with one bad line.
        return bool(newline) and not first.rstrip().endswith((b"{", b"[", b",", b":")) and rest.lstrip()[:1] == b"{"
    return not (isinstance(value, dict) and _is_keyed_by_id(value))


def _is_keyed_by_id(value: dict[str, object]) -> bool:
    return bool(value) and all(key.isdigit() for key in value)


def _read_lines(stream: IO[bytes], name: str) -> Iterator[ArchiveRecord]:
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            yield ArchiveRecord(f"{name}:{number}", line, f"the line is longer than {MAX_LINE_BYTES // 2**20} MB")
            while line and not line.endswith(b"\n"):
                line = stream.readline(PEEK)
        elif line := line.strip():
            yield ArchiveRecord(f"{name}:{number}", line)


def _read_tar(stream: IO[bytes], name: str) -> Iterator[ArchiveRecord]:
    for member in read_members(stream, lambda member: member.endswith(".json"), MAX_LINE_BYTES):
        yield ArchiveRecord(f"{name}:{member.name}", member.body.removeprefix(BYTE_ORDER_MARK), member.fault)


def _read_document(stream: IO[bytes], name: str) -> Iterator[ArchiveRecord]:
    body = stream.read(MAX_DOCUMENT_BYTES + 1)
    if len(body) > MAX_DOCUMENT_BYTES:
        raise Malformed(f"{name} is one JSON document of more than {MAX_DOCUMENT_BYTES // 2**20} MB")
    parts: Iterable[tuple[str, bytes | msgspec.Raw]]
    try:
        kind, parts = _split(body)
    except UNREADABLE:
        kind, parts = "many", split_loosely(body)
    if kind == "hashes":
        raise Malformed(f"{name} holds ids and hashes only, no killmails; `killreport history repair` fetches those")
    for key, part in parts:
        yield ArchiveRecord(f"{name}:{key}" if key else name, bytes(part))


def _split(body: bytes) -> tuple[Literal["one", "many", "hashes"], list[tuple[str, msgspec.Raw]]]:
    if body.lstrip().startswith(b"["):
        listed = msgspec.json.decode(body, type=list[msgspec.Raw])
        return "many", [(str(index), part) for index, part in enumerate(listed)]
    keyed = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    if not _is_keyed_by_id(cast("dict[str, object]", keyed)):
        return "one", [("", msgspec.Raw(body))]
    if all(bytes(part).lstrip().startswith(b'"') for part in keyed.values()):
        return "hashes", []
    return "many", list(keyed.items())
