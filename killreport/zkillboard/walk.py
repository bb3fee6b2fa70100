"""How R2Z2 is followed, as a state machine without clock, socket or wait: what to ask next, and what an answer means.

Source of the rules: the protocol as zKillboard publishes it (wiki page "API-(R2Z2)"), and its own publisher.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, TypeAlias, assert_never

from killreport.backoff import backoff_seconds
from killreport.errors import KillreportError, NotFound, Refused, Transient
from killreport.zkillboard.package import FeedDelivery, Package, UnreadablePackage

DEFAULT_RETRY_AFTER_SECONDS = 10.0
BAN_SECONDS = 3600.0
MAX_BACKOFF_SECONDS = 60.0
# The head is rewritten only about every 52 kills; a cursor this far beyond it belongs to another feed.
MAX_AHEAD_OF_HEAD = 1000
# A hole up to this size is noted number by number and tried again; a larger one is a jump, made good from the history.
MAX_GAPS_AT_ONCE = 500
MAX_GAP_RETRY_SECONDS = 3600.0
# After some three minutes of trouble with a number, the one after it is asked for as well.
FAILURES_OF_ONE_NUMBER = 8
BANS_OF_ONE_NUMBER = 3
# Files live 24 hours at least; a number missing for longer will not come.
GAP_LIFE_SECONDS = 26 * 3600.0


def pause_of(error: object) -> float | None:
    """Return for how many seconds the host wants to be left alone, None where the error is no such answer."""
    match error:
        case Transient(retry_after=seconds):
            return DEFAULT_RETRY_AFTER_SECONDS if seconds is None else seconds
        case Refused():
            return BAN_SECONDS
    return None


class Goal(Enum):
    """Why a number is asked for."""

    START = "start"  # the head, to begin there
    NEXT = "next"  # the number at the cursor
    PROBE = "probe"  # the one after it, while the one at the cursor is missing for long
    LOCATE = "locate"  # the head, when both are missing
    SEARCH = "search"  # a number between the cursor and the head: which is the first that exists?
    AGAIN = "again"  # a gap, or a number that was rewritten


@dataclass(frozen=True)
class Ask:
    """Ask for this number; None is the head, `sequence.json`."""

    sequence: int | None
    goal: Goal


@dataclass(frozen=True)
class Wait:
    """Ask nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class FoundPackage:
    """A package was there, readable or not; None: what is left of one whose killmail was taken out."""

    package: Package | UnreadablePackage | None


@dataclass(frozen=True)
class Head:
    """The head was there, and names this number."""

    sequence: int


Answer: TypeAlias = FoundPackage | Head | KillreportError


@dataclass
class _Gap:
    due: float
    lost_at: float
    tries: int = 0


@dataclass
class Walk:
    """Where one follower of the feed stands. `next_step` says what to do, `take` is told what came of it.

    next_sequence: the stored cursor, None on the first start. Seconds as in the settings feed_wait_seconds and
    feed_gap_seconds. jitter: a factor for back-off times, so that followers do not come back all at once.
    """

    next_sequence: int | None
    wait_seconds: float
    gap_seconds: float
    behind: int = 0
    jitter: Callable[[], float] = field(default=lambda: random.uniform(0.5, 1.5))  # noqa: S311 - no secret
    is_banned: bool = False
    _gaps: dict[int, _Gap] = field(default_factory=dict)
    _hold_until: float = 0.0
    _next_at: float = 0.0
    _failures: int = 0
    _bans: int = 0
    _probe_at: float | None = None
    _goal: Literal[Goal.NEXT, Goal.PROBE, Goal.LOCATE, Goal.SEARCH] = Goal.NEXT
    _search: tuple[int, int] = (0, 0)  # known missing, believed there
    _head_seen: bool = False
    _was_again: bool = False

    def load_gaps(self, ages: Mapping[int, float], now: float) -> None:
        """Take over stored gaps, each with its age in seconds; all are tried soon."""
        for sequence, age in ages.items():
            self._gaps[sequence] = _Gap(due=now, lost_at=now + GAP_LIFE_SECONDS - age)

    def next_step(self, now: float) -> Ask | Wait:
        """Return what to do at this time; asking twice without an answer in between gives the same."""
        if now < self._hold_until:
            return Wait(self._hold_until - now)
        if self.next_sequence is None:
            return Ask(None, Goal.START)
        again = self._due_gap()
        again_is_due = again is not None and self._gaps[again].due <= now
        is_due = self._goal is not Goal.NEXT or self._next_at <= now
        if again_is_due and not (is_due and self._was_again):
            return Ask(again, Goal.AGAIN)
        if is_due:
            return self._ask_at(self.next_sequence)
        wake = self._next_at if again is None else min(self._next_at, self._gaps[again].due)
        return Wait(wake - now)

    def _ask_at(self, cursor: int) -> Ask:
        match self._goal:
            case Goal.NEXT:
                return Ask(cursor, Goal.NEXT)
            case Goal.PROBE:
                return Ask(cursor + 1, Goal.PROBE)
            case Goal.LOCATE:
                return Ask(None, Goal.LOCATE)
            case Goal.SEARCH:
                return Ask(self._search_at(), Goal.SEARCH)
            case _:
                assert_never(self._goal)

    def _due_gap(self) -> int | None:
        return min(self._gaps, key=lambda sequence: (self._gaps[sequence].due, sequence), default=None)

    def take(self, ask: Ask, answer: Answer, now: float) -> FeedDelivery | None:
        """Learn from an answer; return what is to be stored, None when nothing is.

        The state moves on with the answer: what is returned must be stored before the next step.
        """
        self._was_again = ask.goal is Goal.AGAIN
        match answer:
            case FoundPackage(package=package) if ask.sequence is not None:
                self._is_well()
                return self._take_found(ask.goal, ask.sequence, package, now)
            case Head(sequence=head):
                self._is_well()
                return self._take_head(head, now)
            case NotFound() if ask.sequence is not None:
                self._is_well()
                return self._take_missing(ask.goal, ask.sequence, now)
            case _:
                gap = self._gaps.get(ask.sequence or 0) if ask.goal is Goal.AGAIN else None
                # It has its own pauses: one number that never comes must not slow down those that do.
                self._hold(answer, now, is_counted=gap is None)
                if gap is not None:
                    self._postpone(gap, now)
                return None

    def _is_well(self) -> None:
        self._failures = self._bans = 0
        self.is_banned = False

    def _hold(self, answer: Answer, now: float, *, is_counted: bool) -> None:
        pause = pause_of(answer)
        if pause is None:
            self._failures += is_counted
            is_stuck = is_counted and self._failures >= FAILURES_OF_ONE_NUMBER
            pause = backoff_seconds(max(1, self._failures), min(1.0, self.wait_seconds), MAX_BACKOFF_SECONDS)
            pause *= self.jitter()
        else:
            is_ban = isinstance(answer, Refused)
            self.is_banned |= is_ban
            self._bans += is_ban
            is_stuck = is_ban and self._bans >= BANS_OF_ONE_NUMBER
        self._hold_until = now + pause
        if is_stuck:
            self._look_past(now)

    def _look_past(self, now: float) -> None:
        """Ask for the next number and this one by turns: what fails for long may be what was asked for alone."""
        if self._goal is Goal.NEXT:
            self._goal = Goal.PROBE
        else:
            self._wait_again(now)

    def _take_found(
        self, goal: Goal, sequence: int, package: Package | UnreadablePackage | None, now: float
    ) -> FeedDelivery | None:
        cursor = sequence if self.next_sequence is None else self.next_sequence
        if goal is Goal.SEARCH:
            self._search = (self._search[0], sequence)
            self._head_seen = True
            return self._end_search(cursor, now)
        is_broken = isinstance(package, UnreadablePackage) and package.may_heal
        if goal is Goal.AGAIN and is_broken and sequence in self._gaps:
            return self._keep_missing(sequence, cursor, now)
        again = (sequence,) if is_broken else self._note_rewritten(sequence, package, now)
        if goal is Goal.AGAIN:
            self._gaps.pop(sequence, None)
            return FeedDelivery(package, next_sequence=cursor, gaps=again, filled_gaps=(sequence,))
        passed = range(cursor, sequence)
        self._move(sequence + 1)
        self._note_gaps(passed, now + self.gap_seconds, now)
        if is_broken:
            self._note_gaps(again, now + self.gap_seconds, now)
        return FeedDelivery(package, next_sequence=sequence + 1, gaps=tuple(dict.fromkeys([*passed, *again])))

    def _take_head(self, head: int, now: float) -> FeedDelivery | None:
        cursor = self.next_sequence
        if cursor is None:
            start = max(head - self.behind, min(head, 1))
            self._move(start)
            return FeedDelivery(next_sequence=start)
        if head + MAX_AHEAD_OF_HEAD < cursor:
            self._move(head)
            return FeedDelivery(next_sequence=head, jumped_from=cursor)
        if head <= cursor + 1:
            self._wait_again(now)
            return None
        self._goal, self._search, self._head_seen = Goal.SEARCH, (cursor + 1, head), False
        return None

    def _take_missing(self, goal: Goal, sequence: int, now: float) -> FeedDelivery | None:
        cursor = self.next_sequence or 0
        match goal:
            case Goal.AGAIN:
                return self._keep_missing(sequence, cursor, now)
            case Goal.NEXT:
                self._next_at = now + self.wait_seconds
                if self._probe_at is None:
                    self._probe_at = now + self.gap_seconds
                elif now > self._probe_at:
                    self._goal = Goal.PROBE
                return None
            case Goal.PROBE:
                self._goal = Goal.LOCATE
                return None
            case _ if not self._head_seen:
                self._wait_again(now)  # the head itself is not to be had: it says nothing about the rest
                return None
            case _:
                self._search = (sequence, self._search[1])
                return self._end_search(cursor, now)

    def _search_at(self) -> int:
        missing, there = self._search
        return (missing + there) // 2 if self._head_seen else there

    def _end_search(self, cursor: int, now: float) -> FeedDelivery | None:
        missing, there = self._search
        if there - missing > 1:
            return None
        self._move(there)
        if there - cursor > MAX_GAPS_AT_ONCE:
            return FeedDelivery(next_sequence=there, jumped_from=cursor)
        passed = range(cursor, there)
        self._note_gaps(passed, now, now)
        return FeedDelivery(next_sequence=there, gaps=tuple(passed))

    def _keep_missing(self, sequence: int, cursor: int, now: float) -> FeedDelivery:
        gap = self._gaps[sequence]
        if now >= gap.lost_at:
            del self._gaps[sequence]
            return FeedDelivery(next_sequence=cursor, filled_gaps=(sequence,), lost_gaps=(sequence,))
        self._postpone(gap, now)
        return FeedDelivery(next_sequence=cursor, gaps=(sequence,))

    def _postpone(self, gap: _Gap, now: float) -> None:
        gap.tries += 1
        gap.due = now + backoff_seconds(gap.tries, self.gap_seconds, MAX_GAP_RETRY_SECONDS)

    def _note_rewritten(
        self, sequence: int, package: Package | UnreadablePackage | None, now: float
    ) -> tuple[int, ...]:
        updated = package.sequence_updated if isinstance(package, Package) else None
        # Only older numbers are followed: so a chain of rewrites ends.
        if updated is None or not 0 < updated < sequence:
            return ()
        self._note_gaps((updated,), now, now)
        return (updated,)

    def _note_gaps(self, sequences: range | tuple[int, ...], due: float, now: float) -> None:
        for sequence in sequences:
            self._gaps[sequence] = _Gap(due=due, lost_at=now + GAP_LIFE_SECONDS)

    def _wait_again(self, now: float) -> None:
        self._goal = Goal.NEXT
        self._probe_at = now + self.gap_seconds

    def _move(self, sequence: int) -> None:
        self.next_sequence = sequence
        self._goal, self._probe_at, self._next_at = Goal.NEXT, None, 0.0
