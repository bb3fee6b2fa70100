"""Places for live connections."""

from __future__ import annotations

import pytest

from killreport.door.client import Client
from killreport.door.concurrency import ConcurrencyLimit, LimitReached

ONE, OTHER, SITE = Client("1.1.1.1", True), Client("2.2.2.2", True), Client("127.0.0.1", False)


def test_a_client_may_not_take_all_places() -> None:
    places = ConcurrencyLimit(10, 2)
    first, _ = places.take(ONE), places.take(ONE)
    with pytest.raises(LimitReached, match="One client may have 2 live connections"):
        places.take(ONE)
    places.take(OTHER)
    first.give_back()
    first.give_back()
    places.take(ONE)
    assert places.count == 3


def test_all_places_are_bounded_for_everybody() -> None:
    places = ConcurrencyLimit(3, 1)
    for _ in range(3):
        places.take(SITE)
    with pytest.raises(LimitReached, match="3 live connections are open here"):
        places.take(ONE)
