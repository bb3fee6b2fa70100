"""aa-killtracker's own fetching code against a board: each line read is a run, answered by what it fetched.

Its Django gets a cache in memory and nothing else. What stands beside the fetching code in its module and belongs to
Alliance Auth (models, a logger, its client for ESI) is replaced by stand-ins, for it is not used here.
"""

from __future__ import annotations

import json
import logging
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

MAX_OF_A_RUN = 5_000


def stand_in(name: str, **members: Any) -> None:
    """Have a module of this name, with these members, imported in the place of the real one."""
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        module = sys.modules.setdefault(".".join(parts[:depth]), ModuleType(".".join(parts[:depth])))
    vars(module).update(members)


def fetching_code(address: str) -> Any:
    """Return its module, with the board in the place of zKillboard."""
    import_module("django.conf").settings.configure(
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        KILLTRACKER_ZKB_REQUEST_DELAY=50,
        USE_TZ=True,
    )
    stand_in("eveuniverse.models", EveType=None)
    stand_in("allianceauth.services.hooks", get_extension_logger=logging.getLogger)
    import_module("killtracker")
    sys.modules["killtracker.providers"] = ModuleType("killtracker.providers")
    vars(sys.modules["killtracker.providers"])["esi"] = None
    code = import_module("killtracker.core.zkb")
    vars(code)["_R2Z2_BASE_URL"] = f"{address}/ephemeral/"
    # Its pause between two requests is for zKillboard's limit: this is a board of our own.
    vars(code)["_wait_for_next_slot"] = lambda: None
    return code


def run(code: Any) -> list[tuple[int, str, float]]:
    """Fetch until there is nothing more, as its periodic task does; return ids, times and values."""
    fetched = []
    for _ in range(MAX_OF_A_RUN):
        try:
            killmail = code.fetch_killmail_from_r2z2()
        except code.R2Z2Error as error:
            print(f"skipped: {error}", file=sys.stderr)
            continue
        if killmail is None:
            break
        fetched.append((killmail.id, killmail.time.isoformat(), killmail.zkb.total_value))
    return fetched


def main() -> None:
    """Answer each line of the input with a line: what a run fetched, as JSON."""
    code = fetching_code(sys.argv[1])
    for _ in sys.stdin:
        print(json.dumps(run(code)), flush=True)


if __name__ == "__main__":
    main()
