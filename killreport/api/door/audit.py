"""What the log keeps of operators: each of their calls, and each token that was tried and is not theirs.

Who (the client's address), what (the field and its arguments) and when (the line's time); never a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import structlog
from cachetools import LRUCache

from killreport.api.door.caller import ANYBODY, WRONG_TOKEN, Caller
from killreport.door.client import Client

MAX_CLIENTS = 1_000
_MAX_SHOWN = 500
_log = structlog.get_logger(__name__)

# Who asks, for what is done on the way; tasks that a request starts have a copy.
_asking: ContextVar[tuple[Client, Caller] | None] = ContextVar("asking", default=None)


class Audit:
    """Notes who asks, and the wrong tokens of each client: the first, second, fourth, eighth … of them as a line."""

    def __init__(self) -> None:
        self._tries: LRUCache[str, int] = LRUCache(MAX_CLIENTS)

    def asked(self, caller: Caller, client: Client, path: str) -> Caller:
        """Return the caller, noted for the rest of the request."""
        _asking.set((client, caller))
        if caller.refusal == WRONG_TOKEN:
            tries = self._tries[client.key] = self._tries.get(client.key, 0) + 1
            # Powers of two: whoever tries a million tokens gets twenty lines.
            if tries & (tries - 1) == 0:
                _log.warning("operator_token_wrong", client=client.key, path=path, tries=tries)
        return caller


def is_operator_asking() -> bool:
    """Tell whether the request under way is the operator's."""
    asking = _asking.get()
    return asking is not None and asking[1].refusal is None


def note_client(client: Client) -> None:
    """Note whose the request under way is, where nobody asks for a right."""
    _asking.set((client, ANYBODY))


def asking_client() -> Client | None:
    """Return whose the request under way is, None outside of any."""
    asking = _asking.get()
    return None if asking is None else asking[0]


def note_call(field: str, arguments: Mapping[str, Any], outcome: str) -> None:
    """Keep a line about a call of an operator."""
    asking = _asking.get()
    shown = {name: str(value)[:_MAX_SHOWN] for name, value in arguments.items()}
    _log.info(
        "operator_call", client=asking[0].key if asking else "unknown", field=field, arguments=shown, outcome=outcome
    )
