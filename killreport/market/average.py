"""The smoothed average of a type's market days: few days are believed, many are freed of their extremes."""

from __future__ import annotations

from collections.abc import Sequence

# Source of the rule and its numbers: zKillboard's pricing as its FAQ and forum describe it.
WINDOW_DAYS = 34
MIN_DAYS_TO_TRIM = 7
TRIMMED_DAYS = 2


def smoothed_average(averages: Sequence[int]) -> int:
    """Return the mean of up to WINDOW_DAYS daily averages, rounded half up to a whole cent.

    A full window loses its two lowest and its two highest days; a shorter one, of at least MIN_DAYS_TO_TRIM, only
    its two highest, against pumped prices; a still shorter one is taken as it is. Raises ValueError for no day.
    """
    if not averages:
        raise ValueError("an average needs a day")
    kept = sorted(averages)
    if is_trimmed(len(kept)):
        kept = kept[TRIMMED_DAYS if len(kept) >= WINDOW_DAYS else 0 : -TRIMMED_DAYS]
    return (2 * sum(kept) + len(kept)) // (2 * len(kept))


def is_trimmed(days: int) -> bool:
    """Tell whether an average over so many days leaves some of them out."""
    return days >= MIN_DAYS_TO_TRIM
