"""Words of processes that nobody knows yet."""

from __future__ import annotations

import pytest

from killreport.clock import monotonic
from killreport.supervisor import early_words
from killreport.supervisor.early_words import MOST_KEPT, EarlyWords


def test_words_are_claimed_once_and_the_later_ones_count() -> None:
    words = EarlyWords()
    words.keep(7, {"READY": "1", "STATUS": "starting"})
    words.keep(7, {"STATUS": "at work"})
    assert words.claim(8) == {}
    assert words.claim(7) == {"READY": "1", "STATUS": "at work"}
    assert words.claim(7) == {}


def test_old_words_are_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    words = EarlyWords()
    words.keep(7, {"READY": "1"})
    now = monotonic()
    monkeypatch.setattr(early_words, "monotonic", lambda: now + early_words.KEPT_SECONDS + 1)
    assert words.claim(7) == {}


def test_of_too_many_the_oldest_are_forgotten() -> None:
    words = EarlyWords()
    for session in range(MOST_KEPT + 1):
        words.keep(session, {"READY": "1"})
    assert (words.claim(0), words.claim(1)) == ({}, {"READY": "1"})
