"""Makes packages again from their records: the mail, its `zkb` block, and both together as R2Z2 has them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from killreport.sim.publishing.appraisal import Appraiser
from killreport.sim.publishing.corpus import Corpus
from killreport.sim.world.generator import Generator, sequence_of
from killreport.sim.world.journal import KillJournal, KillRecord, RecordKind

# A package whose label came later names the gank.
_LATER_LABELS = ("ganked",)


class Packages:
    """Everything that can be said of a published mail."""

    def __init__(
        self, journal: KillJournal, generator: Generator, appraiser: Appraiser, corpora: dict[int, Corpus]
    ) -> None:
        """Corpora by the number the journal knows them by; a corpus that is gone takes its packages with it."""
        self._journal = journal
        self._generator = generator
        self._appraiser = appraiser
        self._corpora = corpora
        self._mail = lru_cache(maxsize=512)(self._make_mail)

    def mail(self, record: KillRecord) -> bytes | None:
        """Return the mail as ESI gives it; None for a gap and for a corpus that is not there any more."""
        original = record if record.kind is not RecordKind.REPEAT else self._journal.get(record.reference)
        return None if original is None else self._mail(original)

    def _make_mail(self, record: KillRecord) -> bytes | None:
        if record.kind is RecordKind.GENERATED:
            return msgspec.json.encode(self._generator.generate(record.sequence, record.killmail_time))
        corpus = self._corpora.get(record.corpus) if record.kind is RecordKind.CORPUS else None
        return None if corpus is None else corpus.body(record.reference)

    def zkb(self, record: KillRecord, mail: bytes) -> dict[str, Any]:
        """Return the block of a mail, with the labels that came to it later, if its package was rewritten."""
        original = record.reference if record.kind is RecordKind.REPEAT else record.sequence
        later = _LATER_LABELS if self._journal.rewritten_at(original) is not None else ()
        return self._appraiser.block(msgspec.json.decode(mail), record.hash.hex(), later)

    def package(self, record: KillRecord) -> bytes | None:
        """Return what R2Z2 serves under the record's number; None where it serves nothing."""
        mail = self.mail(record)
        if mail is None:
            return None
        package = {
            "killmail_id": record.killmail_id,
            "hash": record.hash.hex(),
            "esi": msgspec.Raw(mail),
            "zkb": self.zkb(record, mail),
            "uploaded_at": self._journal.rewritten_at(record.sequence) or record.published_at,
            "sequence_id": record.sequence,
        }
        if record.updates:
            package["sequence_updated"] = record.updates
        return msgspec.json.encode(package)

    def find(self, killmail_id: int) -> KillRecord | None:
        """Return the record of a published mail by its id."""
        sequence = sequence_of(killmail_id)
        record = None if sequence is None else self._journal.get(sequence)
        if record is not None and record.kind is RecordKind.GENERATED:
            return record
        return self._journal.find_corpus_mail(killmail_id)
