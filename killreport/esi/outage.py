"""Whether a 404 is to be believed: one route that answers 404 to everything is an outage, and tells of nobody.

A 404 counts once the same route has answered something else that was asked for later: a request of somebody else's, or
a canary, which is what the route answered before. Where the canary is missing too, the route is away: for all
processes, until a request of one of them, let through now and then, is answered. Where there is no canary yet, a few
404s are believed, and a run of them is not.

What that costs: an outage takes one error for each request that was under way, and then two for each probe, which come
ever more slowly; some 35 in the first minute, 4 in each later one, of the 100 that ESI allows. A true 404 takes one
question more, that is no error; those that come together share it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from killreport.background import wait_or_end
from killreport.clock import monotonic
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.errors import HostAway
from killreport.esi.budget import MISSING, Budget
from killreport.esi.canary import CanaryRequest, find_canary, put_canary

# So many in a row, without anything that ever was answered, are not chance. No worker has fewer messages in hand.
RUN = 3
HOLD_SECONDS = 0.5
# A run without any canary that lasts this long is believed at last: nothing else would ever end it.
BELIEVED_AFTER_SECONDS = 600.0
# Between two probes lies a third of the time the route has been away, within these bounds.
FIRST_PROBE_SECONDS, LAST_PROBE_SECONDS = 1.5, 30.0
# Whoever comes so shortly before the next probe waits for what it finds.
WAIT_SECONDS = 5.0
# But not so soon after one that found nothing: what waits for ESI is to fail fast while it is away.
QUIET_SECONDS = 3.0
SHARE_EVERY_SECONDS = 600.0
MAX_CANARIES = 16

log = structlog.get_logger()


@dataclass
class _Route:
    """What this process knows of a route, in its clock's seconds. answered_at: when the latest answered one was sent.

    misses: 404s in a row, the first at missing_since. failed_at: when a canary was last missing. news: set, and
    replaced, when any of it changes what somebody waits for.
    """

    name: str
    answered_at: float = float("-inf")
    misses: int = 0
    missing_since: float = 0.0
    failed_at: float = float("-inf")
    shared_at: float = float("-inf")
    canaries: deque[CanaryRequest] = field(default_factory=lambda: deque(maxlen=MAX_CANARIES))
    admitting: asyncio.Lock = field(default_factory=asyncio.Lock)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def scope(self) -> str:
        """The name of its pause in the budget."""
        return MISSING + self.name

    def tell(self) -> None:
        """Wake whoever waits for news."""
        self.news.set()
        self.news = asyncio.Event()

    def next_canary(self, other: CanaryRequest) -> CanaryRequest | None:
        """Return another question than this that was answered; each in turn, so that none is asked often."""
        for _ in range(len(self.canaries)):
            self.canaries.rotate(1)
            if self.canaries[0] != other:
                return self.canaries[0]
        return None


class OutageWatch:
    """The routes of one process."""

    def __init__(self, database: Database, budget: Budget, *, clock: Callable[[], float] = monotonic) -> None:
        self._database = database
        self._budget = budget
        self._clock = clock
        self._routes: dict[str, _Route] = {}

    def now(self) -> float:
        """Return the moment, in the seconds of this watch."""
        return self._clock()

    async def admit(self, route: str) -> None:
        """Return when a request of this route may be sent: at once, but where the route is away for a probe only.

        Raises HostAway where no probe is due soon, or where the one that was waited for found nothing.
        """
        known = self._route(route)
        if not await self._budget.has_pause(known.scope):
            return
        began = self._clock()
        async with known.admitting:
            while (left := self._budget.seconds_left(known.scope)) is not None:
                if known.failed_at > began - QUIET_SECONDS or left > WAIT_SECONDS:
                    raise _away(route)
                if left > 0:
                    await wait_or_end(known.news, left)
                elif await self._budget.may_probe(known.scope, self._probe_seconds(known)):
                    return

    async def note_answer(self, route: str, canary: CanaryRequest, sent_at: float) -> None:
        """Note that the route answered what was sent at that moment; ends its outage."""
        known = self._route(route)
        known.answered_at = max(known.answered_at, sent_at)
        known.misses = 0
        if canary not in known.canaries:
            known.canaries.append(canary)
        known.tell()
        try:
            if self._budget.seconds_left(known.scope) is not None:
                await self._budget.end_pause(known.scope)
                log.info("esi_route_back", route=route)
            if self._clock() - known.shared_at >= SHARE_EVERY_SECONDS:
                known.shared_at = self._clock()
                await put_canary(self._database, route, canary)
        except DATABASE_ERRORS as error:
            log.warning("esi_canary_trouble", reason=str(error))

    async def confirm(
        self, route: str, question: CanaryRequest, ask: Callable[[CanaryRequest], Awaitable[bool]]
    ) -> None:
        """Return where a 404 that has just come is to be believed. Raises HostAway where the route is away.

        ask: sends a question of the route now and returns False for a 404; what it raises is raised.
        """
        known = self._route(route)
        missed_at = self._clock()
        known.misses += 1
        if known.misses == 1:
            known.missing_since = missed_at
        if known.misses >= RUN:
            known.tell()
        async with known.asking:
            if known.answered_at > missed_at:
                return
            if known.failed_at > missed_at:
                raise _away(route)
            canary = known.next_canary(question) or await self._read_canary(route, question)
            if canary is not None:
                if not await ask(canary):
                    await self._note_outage(known)
                    raise _away(route)
                return
        if question.body is not None:
            return  # one bad id of many has the whole refused, so that a run of refusals is no wonder
        if known.misses < RUN:
            await wait_or_end(known.news, HOLD_SECONDS)
        lasts = self._clock() - known.missing_since
        if known.answered_at <= missed_at and known.misses >= RUN and lasts < BELIEVED_AFTER_SECONDS:
            await self._note_outage(known)
            raise _away(route)

    async def _note_outage(self, known: _Route) -> None:
        """Have every process leave the route alone until the next probe. Raises Unavailable as the budget does."""
        known.failed_at = self._clock()
        if self._budget.seconds_left(known.scope) is None:
            log.warning("esi_route_away", route=known.name, misses=known.misses)
        await self._budget.pause(known.scope, self._probe_seconds(known), f"{known.misses} answers 404 in a row")
        known.tell()

    async def _read_canary(self, route: str, other: CanaryRequest) -> CanaryRequest | None:
        """Return what any process had an answer to; nothing where the database cannot say."""
        try:
            found = await find_canary(self._database, route)
        except DATABASE_ERRORS as error:
            log.warning("esi_canary_trouble", reason=str(error))
            return None
        return None if found == other else found

    def _probe_seconds(self, known: _Route) -> float:
        lasts = self._clock() - known.missing_since if known.misses else 0.0
        return min(max(lasts / 3, FIRST_PROBE_SECONDS), LAST_PROBE_SECONDS)

    def _route(self, route: str) -> _Route:
        return self._routes.setdefault(route, _Route(route))


def _away(route: str) -> HostAway:
    return HostAway(f"ESI answers 404 to every request of {route}, even for entities that it knew before.")
