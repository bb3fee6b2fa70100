"""What was published, in order: one record of fixed size a sequence number, appended to a file and never changed.

It is all that has to survive: with the seed (or the corpus) every package can be made again from its record. Sequence
numbers have no holes here; a number that shall look missing has a record that says so. A record torn by a crash in the
middle of writing is dropped when the file is opened. A crash of the machine itself may lose the last seconds.
"""

from __future__ import annotations

import os
import struct
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Self

FIRST_SEQUENCE = 96_000_000
_SECONDS_PER_DAY = 86_400

_BODY = struct.Struct("<QBBHIIQQQ20s")
# The fields in the order of the layout.
_STORED = (
    *("sequence", "kind", "flags", "corpus", "published_at"),
    *("killmail_time", "killmail_id", "reference", "updates", "hash"),
)
_CHECKSUM = struct.Struct("<I")
_RECORD_BYTES = _BODY.size + _CHECKSUM.size


class RecordKind(IntEnum):
    """Where a record's mail comes from. Stored: never renumber."""

    GENERATED = 0
    CORPUS = 1
    REPEAT = 2  # the mail of an earlier sequence number, published again
    GAP = 3  # no mail, for ever


LATE = 1  # flag: answers 404 for a while first
GANKABLE = 2  # flag: the label `ganked` may come to it


@dataclass(frozen=True, slots=True)
class KillRecord:
    """One sequence number.

    published_at, killmail_time: unix seconds. corpus: which one, in the order they were first used; 0 without.
    reference: a corpus mail's place in it, or the sequence number repeated. updates: the older sequence number whose
    package was rewritten at this moment, 0 for none.
    """

    sequence: int
    kind: RecordKind
    published_at: int
    killmail_time: int = 0
    killmail_id: int = 0
    hash: bytes = bytes(20)
    corpus: int = 0
    reference: int = 0
    updates: int = 0
    flags: int = 0

    def packed(self) -> bytes:
        """Return the record as it is stored."""
        body = _BODY.pack(*(getattr(self, name) for name in _STORED))
        return body + _CHECKSUM.pack(zlib.crc32(body))

    @classmethod
    def unpacked(cls, data: bytes) -> Self | None:
        """Return the record in these bytes; None when they are not one."""
        if len(data) != _RECORD_BYTES or _CHECKSUM.unpack_from(data, _BODY.size)[0] != zlib.crc32(data[: _BODY.size]):
            return None
        fields = dict(zip(_STORED, _BODY.unpack_from(data), strict=True))
        return cls(**fields | {"kind": RecordKind(fields["kind"])})


class KillJournal:
    """The open file, and what of it is asked for all the time. One writer: hold the home's lock."""

    def __init__(self, path: Path) -> None:
        """Open or create the file, drop a torn tail, and read what there is."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self._count = 0
        self._days: dict[int, array[int]] = {}
        self._rewrites: dict[int, int] = {}
        self._corpus_mails: dict[int, int] = {}
        self._corpus_places: dict[int, int] = {}
        self._load()

    def _load(self) -> None:
        while True:
            data = os.pread(self._file, _RECORD_BYTES * 4096, self._count * _RECORD_BYTES)
            whole = [data[at : at + _RECORD_BYTES] for at in range(0, len(data), _RECORD_BYTES)]
            for packed in whole:
                record = KillRecord.unpacked(packed)
                if record is None or record.sequence != self.next_sequence:
                    os.ftruncate(self._file, self._count * _RECORD_BYTES)
                    return
                self._note(record)
            if len(data) < _RECORD_BYTES * 4096:
                return

    @property
    def next_sequence(self) -> int:
        """Return the number the next record will have."""
        return FIRST_SEQUENCE + self._count

    @property
    def days(self) -> list[int]:
        """Return the days that have mails, as days since 1970, in order."""
        return sorted(self._days)

    def next_place(self, corpus: int) -> int:
        """Return the first place of a corpus from which on nothing was published."""
        return self._corpus_places.get(corpus, 0)

    def append(self, records: list[KillRecord]) -> None:
        """Write records that carry on the numbering, in one write."""
        data = b"".join(record.packed() for record in records)
        written = os.pwrite(self._file, data, self._count * _RECORD_BYTES)
        if written != len(data):
            raise OSError("The simulator's journal could not be written: is the disk full?")
        for record in records:
            self._note(record)

    def _note(self, record: KillRecord) -> None:
        self._count += 1
        if record.updates:
            self._rewrites[record.updates] = record.published_at
        if record.kind in {RecordKind.GENERATED, RecordKind.CORPUS}:
            self._days.setdefault(record.killmail_time // _SECONDS_PER_DAY, array("Q")).append(record.sequence)
        if record.kind is RecordKind.CORPUS:
            self._corpus_mails[record.killmail_id] = record.sequence
            place = self._corpus_places.get(record.corpus, 0)
            self._corpus_places[record.corpus] = max(place, record.reference + 1)

    def get(self, sequence: int) -> KillRecord | None:
        """Return the record of a sequence number, None where nothing was published under it yet."""
        at = sequence - FIRST_SEQUENCE
        if not 0 <= at < self._count:
            return None
        return KillRecord.unpacked(os.pread(self._file, _RECORD_BYTES, at * _RECORD_BYTES))

    def rewritten_at(self, sequence: int) -> int | None:
        """Return when the package of this number was rewritten, None if it never was."""
        return self._rewrites.get(sequence)

    def find_corpus_mail(self, killmail_id: int) -> KillRecord | None:
        """Return the record under which a corpus mail was published."""
        sequence = self._corpus_mails.get(killmail_id)
        return None if sequence is None else self.get(sequence)

    def of_day(self, day: int) -> Iterator[KillRecord]:
        """Yield the mails killed on a day (days since 1970), each once, as they were published."""
        for sequence in self._days.get(day, ()):
            record = self.get(sequence)
            if record is not None:
                yield record

    def count_of_day(self, day: int) -> int:
        """Return how many mails of a day were published."""
        return len(self._days.get(day, ()))

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
