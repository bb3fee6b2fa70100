"""Answers of objects that never change, kept from run to run.

A page of killmails names the same ships, systems and pilots again and again, and what an operation asks of one of them
is answered the same each time. So it is worked out once for each plan and object, and found again by identity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

from killreport.api.engine.plan import Selection

# Of all plans together: some tens of megabytes. An answer counts once for every so many fields.
MAX_KEPT = 50_000
FIELDS_OF_ONE = 8

Settle = Callable[[Selection, Sequence[Any]], Sequence[Any] | None]


class Immutable:
    """Base of objects none of whose attributes ever changes, nor those of what they hold, and which are met again."""

    __slots__ = ()


class AnswerCache:
    """Bounds what the plans of one schema keep. All runs share the kept answers, so nobody may change one."""

    def __init__(self, most: int = MAX_KEPT) -> None:
        self._most = most
        self._count = 0
        # A plan that is forgotten takes its answers with it.
        self._keeping: WeakSet[Selection] = WeakSet()

    def find(self, selection: Selection, values: Sequence[Any], settle: Settle) -> Sequence[Any] | None:
        """Return the answers of these objects in their order; None where one of them has an error.

        settle: works out those that are not kept.
        """
        kept = selection.kept
        try:
            return list(map(kept.__getitem__, map(id, values)))
        except KeyError:
            missing = {id(value): value for value in values if id(value) not in kept}
        settled = settle(selection, list(missing.values()))
        if settled is None:
            return None
        fresh = dict(zip(missing, settled, strict=True))
        found = [fresh[key] if key in fresh else kept[key] for key in map(id, values)]
        self._keep(selection, missing, fresh)
        return found

    def _keep(self, selection: Selection, values: dict[int, Any], fresh: dict[int, Any]) -> None:
        size = len(fresh) * (1 + selection.size // FIELDS_OF_ONE)
        if self._count + size > self._most:
            # What is in use is soon there again, and so nothing has to be noted about use while there is room.
            for keeping in self._keeping:
                keeping.forget()
            self._count = 0
        if size <= self._most:
            selection.keep(values, fresh)
            self._keeping.add(selection)
            self._count += size
