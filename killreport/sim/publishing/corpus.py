"""Real killmails to replay: read once into a spool in order of time, then served from there without being in memory."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import structlog

from killreport.decoding import decode_json
from killreport.errors import Malformed, NotFound, Unavailable
from killreport.killmail.mail.archive import list_files, read_records
from killreport.killmail.mail.decode import decode_killmail
from killreport.killmail.mail.hash import killmail_hash
from killreport.killmail.mail.model import Killmail
from killreport.sim.world.people import Affiliation, Known, Party

_ENTRY = struct.Struct("<QIIQ20s")
_ESI_KEYS = ("attackers", "killmail_id", "killmail_time", "moon_id", "solar_system_id", "victim", "war_id")
_MAILS, _INDEX, _KNOWN = "mails.jsonl", "index.bin", "known.json"

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class _Side(msgspec.Struct, gc=False):
    """Who a party is, of all that a mail says."""

    character_id: int | None = None
    corporation_id: int | None = None
    alliance_id: int | None = None
    faction_id: int | None = None


class _Sides(msgspec.Struct):
    victim: _Side
    attackers: list[_Side]


_PARTIES = msgspec.json.Decoder(_Sides)


@dataclass(frozen=True, slots=True)
class CorpusEntry:
    """One mail of the corpus. killmail_time: unix seconds."""

    offset: int
    length: int
    killmail_time: int
    killmail_id: int
    hash: bytes


class Corpus:
    """A spooled corpus, in order of time; places count from 0."""

    def __init__(self, folder: Path) -> None:
        """Open what `spool` made. Raises Unavailable where it is not there any more."""
        try:
            self._mails = os.open(folder / _MAILS, os.O_RDONLY)
            self._index = os.open(folder / _INDEX, os.O_RDONLY)
            self.known = _read_known(folder / _KNOWN)
        except FileNotFoundError as error:
            raise Unavailable(f"The simulator's copy of a corpus lacks {error.filename}; `rm -r` its folder.") from None
        self._count = os.fstat(self._index).st_size // _ENTRY.size

    def __len__(self) -> int:
        """Return how many mails there are."""
        return self._count

    def entry(self, place: int) -> CorpusEntry:
        """Return what is known of a mail without reading it."""
        return CorpusEntry(*_ENTRY.unpack(os.pread(self._index, _ENTRY.size, place * _ENTRY.size)))

    def body(self, place: int) -> bytes:
        """Return the mail as ESI gives it."""
        entry = self.entry(place)
        return os.pread(self._mails, entry.length, entry.offset)

    def parties(self, place: int) -> list[Party]:
        """Return the sides of a mail: its victim and its attackers."""
        mail = _PARTIES.decode(self.body(place))
        return [mail.victim, *mail.attackers]

    def close(self) -> None:
        """Close the files."""
        os.close(self._mails)
        os.close(self._index)


def fingerprint(paths: list[Path]) -> str:
    """Return what tells this corpus from others: the files' names, sizes and dates. Raises NotFound for a bad path."""
    digest = hashlib.sha256()
    for path in list_files(paths):
        stat = path.stat()
        digest.update(f"{path.name}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:16]


def spool(paths: list[Path], folder: Path, tell: Callable[[str], None] = lambda _said: None) -> Corpus:
    """Read the files into `folder`, unless that was done before, and return the corpus.

    tell: told how far that has come, for it may take minutes.

    Mails of a past shape are left out, like broken ones, and so is every repeat of an id; the log says how many.
    Raises NotFound for a path that is not there or where nothing can be used.
    """
    if not (folder / _INDEX).exists():
        making = folder.with_name(f"{folder.name}.making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        _write(list_files(paths), making, tell)
        making.rename(folder)
    return Corpus(folder)


def _write(files: list[Path], folder: Path, tell: Callable[[str], None]) -> None:
    entries: dict[int, CorpusEntry] = {}
    known = Known()
    offset = skipped = 0
    with (folder / _MAILS).open("wb") as out:
        for body in _bodies(files, tell):
            try:
                mail, esi = _as_esi(body)
            except Malformed:
                skipped += 1
                continue
            if mail.killmail_id in entries:
                continue
            time = int(mail.killmail_time.timestamp())
            out.write(esi)
            entries[mail.killmail_id] = CorpusEntry(offset, len(esi), time, mail.killmail_id, killmail_hash(mail))
            offset += len(esi)
            known.note((mail.victim, *mail.attackers), time)
    if not entries:
        raise NotFound("The corpus holds no killmail in ESI's present shape.")
    log.info("corpus read", mails=len(entries), skipped=skipped)
    _write_known(folder / _KNOWN, known)
    ordered = sorted(entries.values(), key=lambda entry: (entry.killmail_time, entry.killmail_id))
    packed = b"".join(_ENTRY.pack(e.offset, e.length, e.killmail_time, e.killmail_id, e.hash) for e in ordered)
    (folder / _INDEX).write_bytes(packed)


def _bodies(files: list[Path], tell: Callable[[str], None]) -> Iterator[bytes]:
    whole, before, told = sum(path.stat().st_size for path in files), 0, -1
    for path in files:
        with path.open("rb") as stream:
            try:
                for record in read_records(stream, path.name):
                    percent = min(100, 100 * (before + stream.tell()) // max(whole, 1))
                    if percent > told:
                        told = percent
                        tell(f"reading {len(files)} corpus archive{'s' if len(files) > 1 else ''}: {percent} %")
                    yield record.body
            except Malformed as error:
                log.warning("corpus file damaged", file=path.name, reason=str(error))
        before += path.stat().st_size


def _as_esi(body: bytes) -> tuple[Killmail, bytes]:
    """Return the mail and its body without what is not ESI's."""
    mail = decode_killmail(body)
    document = decode_json(body, dict[str, Any])
    kept = {key: document[key] for key in _ESI_KEYS if document.get(key) is not None}
    try:
        msgspec.convert(kept, Killmail)
    except msgspec.ValidationError as error:
        raise Malformed(str(error)) from None
    return mail, msgspec.json.encode(kept)


def _write_known(path: Path, known: Known) -> None:
    characters = [(i, a.corporation_id, a.alliance_id, a.faction_id) for i, a in known.characters.items()]
    corporations = [(i, alliance_id, faction_id) for i, (alliance_id, faction_id) in known.corporations.items()]
    path.write_bytes(msgspec.json.encode((characters, corporations)))


def _read_known(path: Path) -> Known:
    kind = tuple[list[tuple[int, int, int | None, int | None]], list[tuple[int, int | None, int | None]]]
    characters, corporations = msgspec.json.decode(path.read_bytes(), type=kind)
    return Known(
        {
            i: Affiliation(corporation_id, alliance_id, faction_id)
            for i, corporation_id, alliance_id, faction_id in characters
        },
        {i: (alliance_id, faction_id) for i, alliance_id, faction_id in corporations},
    )
