"""Faults of one host or of some of its paths, besides those of everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated

import msgspec

from killreport.decoding import decode_json
from killreport.errors import Malformed
from killreport.sim.access.hosts import HOSTS, host_of

Rate = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Status = Annotated[int, msgspec.Meta(ge=400, le=599)]

_GARBAGE = b'<html><body>{"name": \xff\x00 nobody expects this</body></html>'


class Rule(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What happens to the requests of a place. Rates are shares of requests from 0 to 1.

    where: a host (esi, zkillboard, r2z2, redisq, everef, ccp), or a path in which * stands for anything; a path is
    compared without the slash at its end. latency_ms: what each answer waits, and a random time up to jitter_ms.
    error_rate: so many answers have one of the statuses. next: that many answers have the first of them, whatever the
    rate. retry_after: the header's seconds in both. garbage_rate: a body that is no JSON, with status 200.
    truncate_rate: a body cut in half and the connection closed.
    """

    where: str
    latency_ms: Count = 0
    jitter_ms: Count = 0
    error_rate: Rate = 0.0
    statuses: Annotated[tuple[Status, ...], msgspec.Meta(min_length=1)] = (502, 503, 504)
    next: Count = 0
    retry_after: Count | None = None
    garbage_rate: Rate = 0.0
    truncate_rate: Rate = 0.0

    def applies_to(self, path: str) -> bool:
        """Tell whether a path is of the place."""
        if self.where in HOSTS:
            return host_of(path) == self.where
        return fnmatchcase(path.rstrip("/") or "/", self.where.rstrip("/") or "/")


@dataclass(frozen=True)
class Fate:
    """What becomes of one request. status: instead of the answer. body: instead of the answer's own."""

    wait_seconds: float = 0.0
    status: int | None = None
    retry_after: int | None = None
    body: bytes | None = None
    is_cut: bool = False


def read_rules(body: bytes) -> list[Rule]:
    """Return the rules of a JSON list. Raises Malformed for anything else."""
    rules = decode_json(body, list[Rule])
    for rule in rules:
        if rule.where not in HOSTS and not rule.where.startswith("/"):
            raise Malformed(f"{rule.where} is neither a path nor one of {', '.join(HOSTS)}")
    return rules


def fate_of(path: str, rules: list[Rule], roll: Callable[[], float]) -> Fate:
    """Return what the rules do to a request of this path: waits add up, the first rule that fails it decides."""
    wait, status, retry_after, body, is_cut = 0.0, None, None, None, False
    for rule in rules:
        if not rule.applies_to(path):
            continue
        wait += rule.latency_ms / 1000 + (rule.jitter_ms / 1000 * roll() if rule.jitter_ms else 0)
        if status is None:
            status = _status(rule, roll)
            retry_after = None if status is None else rule.retry_after
        if rule.garbage_rate and roll() < rule.garbage_rate:
            body = _GARBAGE
        is_cut = is_cut or (rule.truncate_rate > 0 and roll() < rule.truncate_rate)
    return Fate(wait, status, retry_after, body, is_cut)


def _status(rule: Rule, roll: Callable[[], float]) -> int | None:
    if rule.next:
        rule.next -= 1
        return rule.statuses[0]
    if rule.error_rate and roll() < rule.error_rate:
        return rule.statuses[int(roll() * len(rule.statuses))]
    return None
