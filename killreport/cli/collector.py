"""Python's collector of garbage in circles, in a process that holds much for good."""

from __future__ import annotations

import gc

# So many new objects that could be in circles before the young ones are looked through. An answer makes thousands of
# dictionaries and lists, and none is in a circle: at Python's 700 they are looked through several times a request.
YOUNG = 50_000


def calm_collector(young: int = YOUNG, old: int = 20) -> None:
    """Leave out of every collection what is there now, which stays, and look for garbage in circles rarely.

    young: so many new objects are waited for; old: so many looks at them before all are looked at.

    For a process of its own only: what is there now and later falls into a circle is never freed.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(young, 20, old)
