"""Counting what was asked."""

from __future__ import annotations

from killreport.sim.access.tally import RequestTally


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_an_operation_is_the_same_with_a_version_before_and_a_slash_behind_it() -> None:
    tally = RequestTally()
    for route in ("/characters/{id}", "/characters/{id}/", "/{version}/characters/{id}", "/{version}/characters/{id}/"):
        tally.note_request("GET", "/characters/5", route)
    tally.note_request("POST", "/characters/affiliation", "/characters/affiliation")

    summary = tally.summary()

    assert summary["operations"] == {"GET /characters/{id}": 4, "POST /characters/affiliation": 1}
    assert summary["total"] == 5


def test_the_peak_is_of_the_fullest_second_wherever_it_begins() -> None:
    clock = Clock()
    tally = RequestTally(clock)
    for moment in (100.0, 100.9, 101.1, 101.2, 101.85, 103.0):
        clock.now = moment
        tally.note_request("GET", "/status", "/status")

    esi = tally.summary()["hosts"]["esi"]

    assert (esi["peak_per_second"], esi["requests"], esi["seconds"]) == (4, 6, 3.0)


def test_hosts_are_counted_apart_with_their_statuses() -> None:
    tally = RequestTally()
    for path, status in (("/status", 200), ("/status", 503), ("/status", 200), ("/api/kills/", 429)):
        tally.note_request("GET", path, path)
        tally.note_answer(path, status)

    hosts = tally.summary()["hosts"]

    assert hosts["esi"]["statuses"] == {"200": 2, "503": 1}
    assert hosts["zkillboard"]["statuses"] == {"429": 1}


def test_cleared_counts_begin_at_nothing() -> None:
    tally = RequestTally()
    tally.note_request("GET", "/status", "/status")
    tally.note_answer("/status", 200)

    tally.clear()

    assert tally.summary() == {"total": 0, "operations": {}, "hosts": {}}
