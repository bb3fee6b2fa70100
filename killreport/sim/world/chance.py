"""Reproducible randomness: every draw follows from the numbers it was asked with, never from what was drawn before."""

from __future__ import annotations

import bisect
import math
import random
from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

_MASK = 2**64 - 1


def mix(*parts: int) -> int:
    """Return 64 well-mixed bits that depend on every part and on their order."""
    state = 0x9E3779B97F4A7C15
    for part in parts:
        state = ((state ^ part) * 0xBF58476D1CE4E5B9 + 0x94D049BB133111EB) & _MASK
        state ^= state >> 29
        state = (state * 0x94D049BB133111EB) & _MASK
        state ^= state >> 32
    return state


def fraction(*parts: int) -> float:
    """Return a number of [0, 1) that depends on every part and on their order."""
    return (mix(*parts) >> 11) / 2**53


def stream(*parts: int) -> random.Random:
    """Return a generator of its own for these parts."""
    return random.Random(mix(*parts))  # noqa: S311 - made-up kills, no secrets


class Weighted(Generic[T]):
    """Choices with weights; drawing costs a bisection."""

    def __init__(self, choices: Sequence[tuple[T, float]]) -> None:
        """Take (choice, weight) pairs; weights need not sum to one. Raises ValueError when nothing has a weight."""
        self._choices = [choice for choice, weight in choices if weight > 0]
        self._edges: list[float] = []
        total = 0.0
        for _, weight in choices:
            if weight > 0:
                total += weight
                self._edges.append(total)
        if not self._choices:
            raise ValueError("nothing to choose from")

    def draw(self, unit: float) -> T:
        """Return the choice at `unit` of [0, 1) of the whole weight."""
        return self._choices[min(bisect.bisect_right(self._edges, unit * self._edges[-1]), len(self._choices) - 1)]


class Quantiles:
    """A distribution given by a few of its quantiles, straight between them in the logarithm of (1 + value)."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        """Take (share at or below, value) pairs in rising order, from share 0 to share 1."""
        self._shares = [share for share, _ in points]
        self._logs = [math.log1p(value) for _, value in points]

    def draw(self, unit: float) -> float:
        """Return the value at `unit` of [0, 1)."""
        after = min(max(bisect.bisect_right(self._shares, unit), 1), len(self._shares) - 1)
        low, high = self._shares[after - 1], self._shares[after]
        part = (unit - low) / (high - low)
        return math.expm1(self._logs[after - 1] + part * (self._logs[after] - self._logs[after - 1]))


def pick(choices: Sequence[T], unit: float) -> T:
    """Return the choice at `unit` of [0, 1), all alike."""
    return choices[int(unit * len(choices))]


def pick_early(choices: Sequence[T], unit: float, steepness: float) -> T:
    """Return a choice, the earlier the likelier: steepness 1 is even, 3 gives the first eighth half of all draws."""
    return choices[int(unit**steepness * len(choices))]
