"""Whom an answer shows, noted while it is made: what is then stored anew of one of them ends its life.

Noted before it is read. So an answer that has read the old name is found by the event that tells of the new one, even
where it is still being made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Tasks that resolvers start have a copy of the context, and so the same set.
_shown: ContextVar[set[int] | None] = ContextVar("shown", default=None)


@contextmanager
def collecting_tags() -> Iterator[set[int]]:
    """Lend the set into which the ids of entities go that are shown by what the block makes."""
    shown: set[int] = set()
    token = _shown.set(shown)
    try:
        yield shown
    finally:
        _shown.reset(token)


def tag_entities(*several: Iterable[int]) -> None:
    """Note ids of characters, corporations or alliances, also of those that are shown as unknown."""
    shown = _shown.get()
    if shown is not None:
        shown.update(*several)
