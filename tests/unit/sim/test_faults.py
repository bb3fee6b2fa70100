"""Faults: how they are named, and whom they hit."""

from __future__ import annotations

import pytest

from killreport.errors import BadSetting, Malformed
from killreport.sim.access.faults import InjectedFaults, Mischief, parse_faults


def test_faults_are_read_from_the_command_line() -> None:
    assert parse_faults(["error_rate=0.05", "latency_ms=200"]) == InjectedFaults(error_rate=0.05, latency_ms=200)


@pytest.mark.parametrize("pair", ["error_rate", "errors=1", "error_rate=2", "latency_ms=soon"])
def test_a_fault_that_is_none_is_refused_in_a_sentence(pair: str) -> None:
    with pytest.raises(BadSetting, match=r"^--fault .*\.$"):
        parse_faults([pair])


def test_a_change_leaves_the_other_faults_alone() -> None:
    assert InjectedFaults(latency_ms=5).changed(b'{"burst_404": 3}') == InjectedFaults(latency_ms=5, burst_404=3)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"unknown": 1}', b'{"error_rate": 1.5}', b'{"burst_404": "x"}'])
def test_a_change_that_cannot_be_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        InjectedFaults().changed(body)


def test_whom_errors_hit_follows_from_the_seed() -> None:
    runs = [Mischief(seed, InjectedFaults(error_rate=0.3)) for seed in (1, 1, 2)]
    one, same, other = ([mischief.fate("/status").status for _ in range(200)] for mischief in runs)

    assert one == same
    assert one != other
    assert set(one) == {None, 500, 502, 503}
    assert 30 < sum(status is not None for status in one) < 90


def test_failing_next_counts_down() -> None:
    mischief = Mischief(1, InjectedFaults(fail_next=2, fail_status=403))

    assert [mischief.fate("/status").status for _ in range(3)] == [403, 403, None]


def test_a_burst_of_404_ends() -> None:
    mischief = Mischief(1, InjectedFaults(burst_404=2))

    assert [mischief.hides_package() for _ in range(3)] == [True, True, False]
