"""Where a killmail is read that came as an id and a hash: the one client of ESI, which this package does not know."""

from __future__ import annotations

from typing import Protocol


class Bodies(Protocol):
    """The part of the ESI client that reads killmails."""

    async def killmail(self, killmail_id: int, killmail_hash: str, /) -> bytes:
        """Return the body as sent.

        Raises NotFound or Refused where there is none under this hash, Transient and HostAway where it is not to be
        had now, Garbled and Malformed where what came is no body.
        """
