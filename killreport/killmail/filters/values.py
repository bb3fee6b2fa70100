"""The kinds of values a filter's condition takes: how each is read from plain data, bounded, and written again.

A value that was read is hashable and in one form only, so that equal filters are equal objects: lists are sorted and
hold nothing twice, instants are in UTC, money is in whole hundredths of an ISK.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from killreport.errors import Malformed
from killreport.killmail.mail.model import MAX_INT8

MAX_LISTED = 50  # entries of one list
MAX_ISK = 10**14  # what `killreport.killmail.writing.derive` stores at most
HOURS_A_DAY = 24
LABEL_PATTERN = r"^[A-Za-z0-9#][A-Za-z0-9:+#._-]{0,39}$"
MAX_COUNT = 2**31 - 1  # what the columns of attackers and points hold


class ValueKind(Protocol):
    """One kind of value."""

    def read(self, plain: Any, path: str) -> Hashable:
        """Return the value in its one form. Raises Malformed with the path."""

    def write(self, value: Any) -> Any:
        """Return the value as plain data that `read` takes."""
        return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class Ids(ValueKind):
    """One to MAX_LISTED ids, of which any will do. refers_to: what of, for a form that completes names."""

    refers_to: str
    most: int = MAX_INT8

    def read(self, plain: Any, path: str) -> tuple[int, ...]:
        """Return the ids ascending, none twice."""
        return tuple(sorted({_whole(entry, where, 1, self.most) for entry, where in _entries(plain, path)}))


@dataclass(frozen=True, slots=True)
class Words(ValueKind):
    """One to MAX_LISTED words: those of `choices`, or where there are none, anything spelt like a label."""

    choices: tuple[str, ...] = ()

    def read(self, plain: Any, path: str) -> tuple[str, ...]:
        """Return the words in the order of the alphabet, none twice."""
        return tuple(sorted({self._word(entry, where) for entry, where in _entries(plain, path)}))

    def _word(self, entry: Any, path: str) -> str:
        if not isinstance(entry, str):
            raise Malformed("a word is needed", path)
        if self.choices and entry not in self.choices:
            raise Malformed(f"`{entry[:40]}` is none of {', '.join(self.choices)}", path)
        if not self.choices and not _LABEL.fullmatch(entry):
            raise Malformed("no label is spelt like this", path)
        return entry


@dataclass(frozen=True, slots=True)
class Count(ValueKind):
    """A whole number from 0 to `most`."""

    most: int = MAX_COUNT

    def read(self, plain: Any, path: str) -> int:
        """Return the number."""
        return _whole(plain, path, 0, self.most)


@dataclass(frozen=True, slots=True)
class Isk(ValueKind):
    """An amount of ISK from 0 to MAX_ISK, as a number or as decimal text; as a value in whole hundredths."""

    def read(self, plain: Any, path: str) -> int:
        """Return the amount in hundredths, rounded to the nearest."""
        try:
            amount = Decimal(str(plain)) if isinstance(plain, int | float | str | Decimal) else Decimal("nan")
        except InvalidOperation:
            amount = Decimal("nan")
        if isinstance(plain, bool) or not amount.is_finite():
            raise Malformed("an amount of ISK is needed", path)
        if not 0 <= amount <= MAX_ISK:
            raise Malformed(f"an amount from 0 to {MAX_ISK} is needed", path)
        return round(amount * 100)

    def write(self, value: int) -> int | str:
        """Return the amount in ISK, as text where it is not whole."""
        whole, rest = divmod(value, 100)
        return whole if rest == 0 else f"{whole}.{rest:02d}"


@dataclass(frozen=True, slots=True)
class YesNo(ValueKind):
    """Yes or no."""

    def read(self, plain: Any, path: str) -> bool:
        """Return the flag."""
        if not isinstance(plain, bool):
            raise Malformed("true or false is needed", path)
        return plain


@dataclass(frozen=True, slots=True)
class Instant(ValueKind):
    """A moment with its time zone, as a datetime or as ISO 8601 text."""

    def read(self, plain: Any, path: str) -> datetime:
        """Return the moment in UTC."""
        if isinstance(plain, str):
            try:
                plain = datetime.fromisoformat(plain)
            except ValueError:
                raise Malformed("a time such as 2026-01-31T18:00:00Z is needed", path) from None
        if not isinstance(plain, datetime):
            raise Malformed("a time is needed", path)
        if plain.tzinfo is None:
            raise Malformed("the time needs its time zone, such as the Z of UTC", path)
        try:
            return plain.astimezone(UTC)
        except OverflowError:
            raise Malformed("the time lies outside the calendar", path) from None

    def write(self, value: datetime) -> str:
        """Return the moment as text."""
        return value.isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Hours(ValueKind):
    """Whole hours of the day in UTC, `{"from": 22, "to": 4}`: from the first until the second begins, over midnight
    where the second is the smaller. Equal ones would be no hour or all of them, and are refused.
    """

    def read(self, plain: Any, path: str) -> tuple[int, int]:
        """Return the first hour, 0 to 23, and the hour it ends at, 1 to 24."""
        if not isinstance(plain, Mapping) or set(plain) != {"from", "to"}:
            raise Malformed("two hours are needed, `from` and `to`", path)
        first = _whole(plain["from"], f"{path}.from", 0, HOURS_A_DAY - 1)
        end = _whole(plain["to"], f"{path}.to", 0, HOURS_A_DAY) or HOURS_A_DAY
        if first == end:
            raise Malformed("the two hours must differ", path)
        return first, end

    def write(self, value: tuple[int, int]) -> dict[str, int]:
        """Return the two hours."""
        return {"from": value[0], "to": value[1]}


_LABEL = re.compile(LABEL_PATTERN)


def _whole(plain: Any, path: str, least: int, most: int) -> int:
    if isinstance(plain, bool) or not isinstance(plain, int):
        raise Malformed("a whole number is needed", path)
    if not least <= plain <= most:
        raise Malformed(f"a number from {least} to {most} is needed", path)
    return plain


def _entries(plain: Any, path: str) -> list[tuple[Any, str]]:
    if not isinstance(plain, list | tuple):
        raise Malformed("a list is needed", path)
    if not 1 <= len(plain) <= MAX_LISTED:
        raise Malformed(f"a list of 1 to {MAX_LISTED} is needed, not {len(plain)}", path)
    return [(entry, f"{path}[{index}]") for index, entry in enumerate(plain)]
