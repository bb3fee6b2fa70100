"""Any text becomes a harmless question, and hits come in one order."""

from __future__ import annotations

import pytest

from killreport.search.model import MAX_CHARACTERS, MAX_HITS, Hit, Match, SearchKind, clean, rank


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("  Jita \n IV ", "Jita IV"),
        ("\0", ""),
        ("a\0b", "a b"),
        ("\ud800", ""),
        ("100%_\\", "100%_\\"),
        ("Ünïcode 漢字", "Ünïcode 漢字"),
    ],
)
def test_a_question_keeps_what_a_name_can_have(text: str, question: str) -> None:
    assert clean(text) == question


def test_a_question_is_as_long_as_a_name_at_most() -> None:
    assert clean("x" * 10_000) == "x" * MAX_CHARACTERS


def test_a_thing_is_listed_once_by_its_best_match_and_the_busiest_of_equals_first() -> None:
    def hit(id_: int, match: Match, *, kills: int = 0, similarity: float = 0.0) -> Hit:
        return Hit(SearchKind.ALLIANCE, id_, f"name {id_}", None, match, similarity, kills)

    hits = [
        hit(1, Match.PART),
        hit(1, Match.TICKER),
        hit(2, Match.PREFIX, kills=1),
        hit(3, Match.TICKER_PREFIX, kills=2),
        hit(4, Match.SIMILAR, kills=9, similarity=0.4),
        hit(5, Match.SIMILAR, similarity=0.5),
        hit(6, Match.EXACT),
    ]
    assert [found.id for found in rank(hits, 10)] == [6, 1, 3, 2, 5, 4]
    assert [found.id for found in rank(hits, 2)] == [6, 1]
    assert len(rank([hit(number, Match.PREFIX) for number in range(100)], 100)) == MAX_HITS
