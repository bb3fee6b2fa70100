"""Where in the answer a value of a column belongs. Worked out only for values that fail, so columns carry no paths."""

from __future__ import annotations

from collections.abc import Sequence

Path = tuple[str | int, ...]


class Places:
    """The places of a column's values; this one is of the root, whose only value is the whole answer."""

    def path(self, _index: int) -> Path:
        """Return the path of the value at this index of the column."""
        return ()


class Under(Places):
    """Places of the values of a field."""

    def __init__(self, above: Places, key: str) -> None:
        self._above = above
        self._key = key

    def path(self, index: int) -> Path:
        """Return the parent's path and the field's key in the answer."""
        return (*self._above.path(index), self._key)


class Kept(Places):
    """Places of those values of a column that are there at all."""

    def __init__(self, above: Places, indexes: Sequence[int]) -> None:
        self._above = above
        self._indexes = indexes

    def path(self, index: int) -> Path:
        """Return the value's path in the column it was kept of."""
        return self._above.path(self._indexes[index])


class Items(Places):
    """Places of the items of a column of lists, one list after the other."""

    def __init__(self, above: Places, lengths: Sequence[int]) -> None:
        self._above = above
        self._lengths = lengths
        self._table: list[tuple[int, int]] | None = None

    def path(self, index: int) -> Path:
        """Return the list's path and the item's place in it."""
        if self._table is None:
            self._table = [(owner, item) for owner, length in enumerate(self._lengths) for item in range(length)]
        owner, item = self._table[index]
        return (*self._above.path(owner), item)
