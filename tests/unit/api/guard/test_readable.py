"""What a request may hold."""

from __future__ import annotations

from typing import Any

import pytest

from killreport.api.door.guard import readable as module
from killreport.api.door.guard.readable import TooManyValues, Unfit, check_fit


@pytest.mark.parametrize("value", [1, "ab", [], [1, [2]], {"a": {"b": None}, "c": [1]}, list(range(9)), [[1] * 8]])
def test_as_many_values_as_there_may_be_are_taken(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_VALUES", 10)
    check_fit(value, "request")


@pytest.mark.parametrize("value", [list(range(10)), [[1] * 5] * 5, {"a": {str(n): n for n in range(9)}}, [0] * 10**6])
def test_values_are_counted_wherever_they_are(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_VALUES", 10)
    with pytest.raises(TooManyValues, match="may have 10 values in them; this one has more"):
        check_fit(value, "request")


@pytest.mark.parametrize("value", ["\ud800", {"a": ["\0"]}, {"\0": 1}, [2**65], [float("inf")]])
def test_what_nothing_can_hold_is_refused(value: Any) -> None:
    with pytest.raises(Unfit):
        check_fit(value, "request")
