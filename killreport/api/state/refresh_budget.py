"""How much of ESI's budget visitors may ask for: a share of it, for all of them together."""

from __future__ import annotations

import math

from graphql import GraphQLError

from killreport.api.door.caller import Caller
from killreport.config import Settings
from killreport.coordination.rate_limit import MemoryBuckets

# A message of refreshing makes one request to ESI, or two where the first says that there is more.
REQUESTS_A_REFRESH = 2
BURST_SECONDS = 10
_EVERYBODY = "everybody"


class RefreshBudget:
    """Counts refresh requests in one process; an operator's are not counted."""

    def __init__(self, settings: Settings) -> None:
        per_second = settings.esi_requests_per_second * settings.esi_share_of_visitors / REQUESTS_A_REFRESH
        self._bucket = MemoryBuckets(max(1, math.ceil(per_second * BURST_SECONDS)), per_second)

    async def take(self, caller: Caller) -> None:
        """Count one. Raises GraphQLError (RATE_LIMITED) where visitors have used up their share."""
        if caller.refusal is None:
            return
        grant = await self._bucket.take(_EVERYBODY, 1)
        if not grant.is_allowed:
            raise GraphQLError(
                "The visitors' share of ESI's rate limit is used up. "
                f"Try again in {grant.retry_after} s; what is stale is refreshed on schedule anyway.",
                extensions={"code": "RATE_LIMITED", "retryAfter": grant.retry_after},
            )

    async def give_back(self, caller: Caller) -> None:
        """Count one less: nothing had to be asked for."""
        if caller.refusal is not None:
            await self._bucket.give_back(_EVERYBODY, 1)
