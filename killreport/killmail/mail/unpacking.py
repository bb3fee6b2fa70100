"""Unpack gzip, bzip2 and zstandard as it is read, and give out all that can be unpacked before saying what is wrong.

The standard library's files throw away what they have where the end is missing: up to 256 kB of good killmails.
"""

from __future__ import annotations

import bz2
import io
import zlib
from collections.abc import Callable
from typing import Any, Protocol

import zstandard

PIECE = 256 * 1024
# Of zstandard's format 4 bytes can mean 128 kB, and its decoder gives out all of a piece at once.
ZSTD_PIECE = 1024
# Killmails become 10 to 20 times smaller; what unpacks to so much more is made to fill a disk, or a memory.
MAX_RATIO = 250
RATIO_COUNTS_FROM = 2**30


class _Decoder(Protocol):
    """The decoder of one stream or frame. eof: it is whole. unused_data: what lies behind its end."""

    eof: bool
    unused_data: bytes

    def decompress(self, packed: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """zlib's decoder with bzip2's manners: what it did not take yet it keeps."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, packed: bytes, max_length: int) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + packed, max_length)


class _Zstandard:
    """zstandard's decoder; its pieces are small enough to be given out whole."""

    def __init__(self) -> None:
        self._zstd = zstandard.ZstdDecompressor().decompressobj()

    @property
    def eof(self) -> bool:
        return self._zstd.eof

    @property
    def unused_data(self) -> bytes:
        return self._zstd.unused_data

    def decompress(self, packed: bytes, max_length: int) -> bytes:
        del max_length
        return self._zstd.decompress(packed) if packed else b""


# By the first bytes: what makes a decoder, and how much it is fed at once.
FORMATS: dict[bytes, tuple[Callable[[], Any], int]] = {
    b"\x1f\x8b": (_Gzip, PIECE),
    b"BZh": (bz2.BZ2Decompressor, PIECE),
    b"\x28\xb5\x2f\xfd": (_Zstandard, ZSTD_PIECE),
}


class Unpacked(io.RawIOBase):
    """What a packed stream holds. Reading raises EOFError where its end is missing, OSError and the like for damage."""

    def __init__(self, packed: io.BufferedReader, magic: bytes) -> None:
        self._packed = packed
        self._magic = magic
        self._make, self._piece = FORMATS[magic]
        self._decoder: _Decoder = self._make()
        self._given = memoryview(b"")
        self._read = 0
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._given:
            if self._decoder.eof:
                if not self._begin_next():
                    return 0
                continue
            self._given = memoryview(self._decoder.decompress(b"", PIECE))
            if not self._given and not self._decoder.eof:
                self._given = memoryview(self._decoder.decompress(self._feed(), PIECE))
        size = min(len(self._given), len(buffer))
        buffer[:size], self._given = self._given[:size], self._given[size:]
        self._size += size
        if self._size > max(RATIO_COUNTS_FROM, MAX_RATIO * self._read):
            raise OSError(f"it unpacks to more than {MAX_RATIO} times its size")
        return size

    def _feed(self) -> bytes:
        packed = self._packed.read(self._piece)
        if not packed:
            raise EOFError("its end is missing")
        self._read += len(packed)
        return packed

    def _begin_next(self) -> bool:
        """Go on with the stream behind the one that ended; return whether there is one."""
        # Tapes are filled up with zeros.
        behind = self._decoder.unused_data.lstrip(b"\0")
        while len(behind) < len(self._magic) and (more := self._packed.read(self._piece)):
            self._read += len(more)
            behind = (behind + more).lstrip(b"\0")
        if not behind:
            return False
        if not behind.startswith(self._magic):
            raise OSError("something else lies behind its end")
        self._decoder = self._make()
        self._given = memoryview(self._decoder.decompress(behind, PIECE))
        return True
