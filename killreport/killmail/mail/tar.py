"""Read the members of a tar as they come in, and trust none of its headers.

Not the standard library's: that takes as much memory as an extended header says it has, and before Python 3.11.10
a minute for one of 160,000 zeros. Nothing is written anywhere, so a name that leads elsewhere is a name like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

from killreport.errors import Malformed

BLOCK = 512
# Of a long name, or the attributes of a member. Real ones have a few hundred bytes.
MAX_EXTENDED_BYTES = 64 * 2**10
SKIP_BYTES = 2**20
MAX_SIZE = 2**63 - 1

_FILES = (b"0", b"\0", b"7")
_LONG_NAME, _LONG_LINK, _ATTRIBUTES, _GLOBAL_ATTRIBUTES, _SPARSE = b"L", b"K", b"x", b"g", b"S"
_EXTENDED = (_LONG_NAME, _LONG_LINK, _ATTRIBUTES, _GLOBAL_ATTRIBUTES)
_ATTRIBUTE = re.compile(rb"(\d{1,6}) ([^=\n]{1,1000})=")
_KINDS = {b"1": "a hard link", b"2": "a link", b"3": "a device", b"4": "a device", b"5": "a folder", b"6": "a pipe"}


class Member(NamedTuple):
    """A member of the archive. body: of a file that was wanted. fault: why it has none, though it was wanted."""

    name: str
    body: bytes
    fault: str | None = None


class _Header(NamedTuple):
    name: bytes
    size: int
    kind: bytes
    is_continued: bool


def read_members(stream: IO[bytes], wants: Callable[[str], bool], max_bytes: int) -> Iterator[Member]:
    """Yield the members whose names are wanted, in their order; the others are passed over.

    max_bytes: of a member. Raises Malformed for what is no tar any more, EOFError where it ends too early.
    """
    attributes: dict[bytes, bytes] = {}
    while (header := _read_header(stream)) is not None:
        if header.kind in _EXTENDED:
            attributes |= _read_extended(stream, header)
            continue
        name = attributes.get(b"path", header.name).decode("utf-8", "backslashreplace")
        size = _size(attributes[b"size"]) if b"size" in attributes else header.size
        attributes = {}
        if header.is_continued:
            _skip_sparse_map(stream)
        is_file = header.kind in _FILES
        if not wants(name):
            _skip(stream, size)
        elif not is_file:
            _skip(stream, size)
            yield Member(name, b"", f"it is {_KINDS.get(header.kind, 'no plain file')}, not a file")
        elif size > max_bytes:
            _skip(stream, size)
            yield Member(name, b"", f"it is larger than {max_bytes // 2**20} MB")
        else:
            body = _exactly(stream, size)
            _skip(stream, 0, behind=size)
            yield Member(name, body)


def _read_header(stream: IO[bytes]) -> _Header | None:
    """Return the next header, None at the end: a block of zeros, or nothing more."""
    block = stream.read(BLOCK)
    if not block.strip(b"\0"):
        return None
    if len(block) < BLOCK:
        raise EOFError("it ends within a header")
    written = _octal(block[148:156])
    if written != sum(block[:148]) + sum(block[156:]) + 8 * ord(" "):
        raise Malformed("a header of the tar is damaged")
    name = block[:100].split(b"\0", 1)[0]
    kind = block[156:157]
    if block[257:263] == b"ustar\0" and (prefix := block[345:500].split(b"\0", 1)[0]):
        name = prefix + b"/" + name
    return _Header(name, _octal(block[124:136]), kind, kind == _SPARSE and block[482] == 1)


def _octal(field: bytes) -> int:
    """Return a number of a header: octal digits, or for large ones a binary number behind a mark."""
    if field[:1] == b"\x80":
        number = int.from_bytes(field[1:], "big")
    else:
        digits = field.split(b"\0", 1)[0].strip()
        if not re.fullmatch(rb"[0-7]*", digits):
            raise Malformed("a tar header has an invalid number")
        number = int(digits or b"0", 8)
    if number > MAX_SIZE:
        raise Malformed("a tar header has a number out of range")
    return number


def _read_extended(stream: IO[bytes], header: _Header) -> dict[bytes, bytes]:
    """Return what an extended header says of the member behind it."""
    if header.size > MAX_EXTENDED_BYTES:
        raise Malformed(f"an extended tar header is larger than {MAX_EXTENDED_BYTES // 2**10} kB")
    content = _exactly(stream, header.size)
    _skip(stream, 0, behind=header.size)
    if header.kind == _LONG_NAME:
        return {b"path": content.split(b"\0", 1)[0]}
    return _parse_attributes(content) if header.kind == _ATTRIBUTES else {}


def _parse_attributes(content: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    place = 0
    while place < len(content) and content[place]:
        match = _ATTRIBUTE.match(content, place)
        end = place + int(match[1]) if match else 0
        if match is None or not match.end() < end <= len(content) or content[end - 1 : end] != b"\n":
            raise Malformed("an extended tar header is damaged")
        found[match[2]] = content[match.end() : end - 1]
        place = end
    return found


def _size(text: bytes) -> int:
    if not re.fullmatch(rb"\d{1,18}", text):
        raise Malformed("an extended tar header has an invalid size")
    return int(text)


def _skip_sparse_map(stream: IO[bytes]) -> None:
    while _exactly(stream, BLOCK)[504] == 1:
        pass


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError("it ends within a member")
    return content


def _skip(stream: IO[bytes], size: int, *, behind: int = 0) -> None:
    """Pass over so many bytes and the padding to the end of the block. behind: bytes of it that are read."""
    left = size + (-(size + behind)) % BLOCK
    while left:
        passed = len(stream.read(min(left, SKIP_BYTES)))
        if not passed:
            raise EOFError("it ends within a member")
        left -= passed
