"""The journal: what it keeps over restarts, crashes and torn writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from killreport.sim.world.journal import FIRST_SEQUENCE, KillJournal, KillRecord, RecordKind

DAY = 86_400


def mail(place: int, *, day: int = 20_000, kind: RecordKind = RecordKind.GENERATED, **changes: int) -> KillRecord:
    values = {"killmail_id": 1_000 + place, **changes}
    return KillRecord(
        FIRST_SEQUENCE + place, kind, day * DAY + 60, day * DAY + place, hash=bytes([place] * 20), **values
    )


def test_a_journal_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "journal.bin"
    first = KillJournal(path)
    first.append([mail(0), mail(1)])
    first.close()

    again = KillJournal(path)

    assert again.next_sequence == FIRST_SEQUENCE + 2
    assert again.get(FIRST_SEQUENCE + 1) == mail(1)
    again.append([mail(2)])
    assert again.get(FIRST_SEQUENCE + 2) == mail(2)
    again.close()


@pytest.mark.parametrize("cut", [1, 30, 67])
def test_a_record_torn_in_writing_is_dropped_and_its_number_given_again(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "journal.bin"
    journal = KillJournal(path)
    journal.append([mail(0), mail(1)])
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])

    again = KillJournal(path)

    assert again.next_sequence == FIRST_SEQUENCE + 1
    again.append([mail(1)])
    again.close()
    assert path.read_bytes() == whole


def test_a_record_whose_bytes_are_wrong_is_dropped_with_all_after_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.bin"
    journal = KillJournal(path)
    journal.append([mail(0), mail(1), mail(2)])
    journal.close()
    data = bytearray(path.read_bytes())
    data[len(data) // 3 + 20] ^= 1
    path.write_bytes(data)

    again = KillJournal(path)

    assert again.next_sequence == FIRST_SEQUENCE + 1
    assert path.stat().st_size == len(data) // 3
    again.close()


def test_days_are_those_of_the_kill_and_count_no_repeat_and_no_gap(tmp_path: Path) -> None:
    journal = KillJournal(tmp_path / "journal.bin")
    journal.append([mail(0), mail(1, kind=RecordKind.REPEAT, reference=FIRST_SEQUENCE), mail(2, kind=RecordKind.GAP)])
    journal.append([mail(3, day=19_999)])

    assert journal.days == [19_999, 20_000]
    assert [record.sequence for record in journal.of_day(20_000)] == [FIRST_SEQUENCE]
    assert journal.count_of_day(19_999) == 1
    assert journal.count_of_day(5) == 0
    journal.close()


def test_what_came_out_of_a_corpus_is_found_by_id_and_the_next_place_is_known(tmp_path: Path) -> None:
    path = tmp_path / "journal.bin"
    journal = KillJournal(path)
    journal.append(
        [mail(0, kind=RecordKind.CORPUS, corpus=1, reference=1), mail(1, kind=RecordKind.CORPUS, corpus=1, reference=0)]
    )
    journal.close()

    again = KillJournal(path)

    assert again.next_place(1) == 2
    assert again.next_place(2) == 0
    found = again.find_corpus_mail(1_001)
    assert found is not None
    assert found.sequence == FIRST_SEQUENCE + 1
    assert again.find_corpus_mail(5) is None
    again.close()


def test_a_rewritten_number_knows_when(tmp_path: Path) -> None:
    journal = KillJournal(tmp_path / "journal.bin")
    journal.append([mail(0), mail(1, updates=FIRST_SEQUENCE)])

    assert journal.rewritten_at(FIRST_SEQUENCE) == 20_000 * DAY + 60
    assert journal.rewritten_at(FIRST_SEQUENCE + 1) is None
    journal.close()


def test_numbers_never_published_hold_nothing(tmp_path: Path) -> None:
    journal = KillJournal(tmp_path / "journal.bin")

    assert journal.get(FIRST_SEQUENCE) is None
    assert journal.get(FIRST_SEQUENCE - 1) is None
    journal.close()


def test_a_large_journal_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal.bin"
    journal = KillJournal(path)
    for start in range(0, 9000, 200):
        journal.append(
            [
                KillRecord(FIRST_SEQUENCE + n, RecordKind.GENERATED, DAY, DAY, n, bytes(20))
                for n in range(start, start + 200)
            ]
        )
    journal.close()

    again = KillJournal(path)

    assert again.next_sequence == FIRST_SEQUENCE + 9000
    assert again.count_of_day(1) == 9000
    again.close()
