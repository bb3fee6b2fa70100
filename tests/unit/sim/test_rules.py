"""Rules: which paths they are about, and what they do to a request."""

from __future__ import annotations

from itertools import repeat

import pytest

from killreport.errors import Malformed
from killreport.sim.access.hosts import host_of
from killreport.sim.access.rules import Fate, Rule, fate_of, read_rules


@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("/ephemeral/5.json", "r2z2"),
        ("/history/totals.json", "r2z2"),
        ("/listen.php", "redisq"),
        ("/api/kills/", "zkillboard"),
        ("/market-history/2026/index.json", "everef"),
        ("/static-data/tranquility/latest.jsonl", "ccp"),
        ("/characters/5/", "esi"),
    ],
)
def test_a_path_belongs_to_one_of_the_real_hosts(path: str, host: str) -> None:
    assert host_of(path) == host


@pytest.mark.parametrize(
    ("where", "path", "applies"),
    [
        ("esi", "/characters/5", True),
        ("esi", "/api/kills/", False),
        ("/characters/*", "/characters/5/", True),
        ("/characters/*", "/corporations/5/", False),
        ("/characters/affiliation", "/characters/affiliation/", True),
        ("/alliances", "/alliances/99005001", False),
        ("/*", "/", True),
    ],
)
def test_a_rule_is_about_a_host_or_about_paths(where: str, path: str, applies: bool) -> None:
    assert Rule(where=where).applies_to(path) is applies


def test_no_rule_changes_nothing() -> None:
    assert fate_of("/status", [], lambda: 0.0) == Fate()
    assert fate_of("/status", [Rule(where="/wars", error_rate=1)], lambda: 0.0) == Fate()


def test_waits_add_up_and_the_first_failure_decides() -> None:
    rules = [
        Rule(where="esi", latency_ms=250, jitter_ms=500),
        Rule(where="/status", latency_ms=500, error_rate=0.6, statuses=(502,), retry_after=7),
        Rule(where="esi", error_rate=1, statuses=(420,)),
    ]

    fate = fate_of("/status", rules, lambda: 0.5)

    assert fate == Fate(wait_seconds=1.0, status=502, retry_after=7)


def test_the_rate_is_the_share_that_fails() -> None:
    rules = [Rule(where="esi", error_rate=0.25, statuses=(500, 504))]
    rolls = iter([0.24, 0.9, 0.25, 0.24, 0.1])

    fates = [fate_of("/status", rules, lambda: next(rolls)).status for _ in range(3)]

    assert fates == [504, None, 500]


def test_the_next_ones_fail_with_the_first_status_and_then_no_more() -> None:
    rules = [Rule(where="esi", next=2, statuses=(429, 420), retry_after=3)]

    fates = [fate_of("/status", rules, lambda: 0.9) for _ in range(3)]

    assert [(fate.status, fate.retry_after) for fate in fates] == [(429, 3), (429, 3), (None, None)]


def test_bodies_are_garbled_and_cut_at_their_rates() -> None:
    rules = [Rule(where="esi", garbage_rate=0.5, truncate_rate=0.5)]
    rolls = iter([0.4, 0.6, 0.6, 0.4])

    first, second = (fate_of("/status", rules, lambda: next(rolls)) for _ in range(2))

    assert (first.body is None, first.is_cut) == (False, False)
    assert (second.body is None, second.is_cut) == (True, True)


def test_rules_are_read_from_a_list() -> None:
    assert read_rules(b'[{"where": "esi", "latency_ms": 30}]') == [Rule(where="esi", latency_ms=30)]
    assert read_rules(b"[]") == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[{}]",
        b'[{"where": "nowhere"}]',
        b'[{"where": "esi", "error_rate": 2}]',
        b'[{"where": "esi", "statuses": []}]',
        b'[{"where": "esi", "statuses": [200]}]',
        b'[{"where": "esi", "latency": 3}]',
    ],
)
def test_what_is_no_rule_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_rules(body)


def test_waits_need_no_dice_without_jitter() -> None:
    dice = repeat(0.5, 0)

    assert fate_of("/status", [Rule(where="esi", latency_ms=30)], lambda: next(dice)).wait_seconds == 0.03
