"""Reads the lines of a zip of JSON Lines files, and trusts none of its sizes."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from killreport.decoding import UNREADABLE as UNREADABLE_JSON
from killreport.errors import Malformed

# CCP's largest file, with texts in eight languages, is below 200 MB; what is read is never in memory as a whole.
MAX_MEMBER_BYTES = 1 << 30
MAX_LINE_BYTES = 4 << 20
CHUNK_BYTES = 1 << 20
# The largest file has some 52,000 lines. Each becomes a row in memory.
MAX_LINES = 250_000

# zipfile raises all of these for a damaged archive; nothing but its own calls is wrapped with them.
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError),
    *(NotImplementedError, RuntimeError, OSError, ValueError, OverflowError),
)

Parsed = TypeVar("Parsed")


class Archive:
    """An open zip, one JSON Lines file a member."""

    def __init__(self, opened: zipfile.ZipFile, name: str) -> None:
        self._zip = opened
        self._name = name

    def has(self, member: str) -> bool:
        """Tell whether the member is there."""
        return member in self._zip.namelist()

    def require(self, members: tuple[str, ...]) -> None:
        """Raise Malformed unless every one of the members is there and of a size that can be meant."""
        missing = sorted(set(members) - set(self._zip.namelist()))
        if missing:
            raise Malformed(f"The archive lacks {', '.join(missing)}: it is not CCP's static data", self._name)
        for member in members:
            entry = self._zip.getinfo(member)
            if entry.file_size > MAX_MEMBER_BYTES:
                raise Malformed(f"The file is larger than {MAX_MEMBER_BYTES >> 20} MiB", member)
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise Malformed("The file's compression method is not the one CCP uses", member)

    def parse(self, member: str, line: type[Parsed]) -> Iterator[tuple[int, Parsed]]:
        """Yield each line of the member, decoded, with its number from 1; empty lines are skipped.

        Raises Malformed that names the member and the line.
        """
        decode = msgspec.json.Decoder(line).decode
        for number, text in enumerate(self._lines(member), 1):
            if not text or text.isspace():
                continue
            try:
                parsed = decode(text)
            except UNREADABLE_JSON as error:
                raise Malformed(str(error), f"{member} line {number}") from None
            if number > MAX_LINES:
                raise Malformed(f"The file has more than {MAX_LINES} lines", member)
            yield number, parsed

    def _lines(self, member: str) -> Iterator[bytes]:
        rest = b""
        with self._open(member) as stream:
            while chunk := self._read(stream, member):
                # A zip's stated size ends what zipfile gives out, so the check of `require` holds here too.
                *whole, rest = (rest + chunk).split(b"\n")
                if len(rest) > MAX_LINE_BYTES:
                    raise Malformed(f"A line is longer than {MAX_LINE_BYTES >> 20} MiB", member)
                yield from whole
        yield rest

    def _open(self, member: str) -> IO[bytes]:
        try:
            return self._zip.open(member)
        except UNREADABLE as error:
            raise Malformed(f"The file cannot be unpacked: {error}", member) from error

    def _read(self, stream: IO[bytes], member: str) -> bytes:
        try:
            return stream.read(CHUNK_BYTES)
        except UNREADABLE as error:
            raise Malformed(f"The file cannot be unpacked: {error}", member) from error


@contextmanager
def open_archive(source: Path | IO[bytes], name: str) -> Iterator[Archive]:
    """Lend the archive. Raises Malformed where it is no zip that can be read.

    name: what messages call it.
    """
    try:
        opened = zipfile.ZipFile(source)
    except FileNotFoundError:
        raise Malformed("There is no such file", name) from None
    except UNREADABLE as error:
        raise Malformed(f"This is not a zip archive that can be read: {error}", name) from error
    with opened:
        yield Archive(opened, name)
