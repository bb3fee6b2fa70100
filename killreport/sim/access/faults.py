"""What goes wrong on demand. Which request it hits follows from the seed and a counter, so a run can be repeated."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import msgspec

from killreport.decoding import decode_json
from killreport.errors import BadSetting, Malformed
from killreport.sim.access.rules import Count, Fate, Rate, Rule, fate_of
from killreport.sim.world.chance import fraction


class InjectedFaults(msgspec.Struct, forbid_unknown_fields=True):
    """Everything off by default. Rates are shares of requests or of published sequence numbers, from 0 to 1.

    latency_ms: each answer waits a random time up to this. error_rate: answers 500, 502 or 503. truncate_rate: a body
    is cut in half and the connection closed. duplicate_rate: a mail is published again under the next number.
    reorder_rate: two mails of a corpus change places. gap_rate: a number answers 404, every second of them for ever,
    the others for gap_seconds. burst_404: that many asks for a package answer 404. fail_next: that many answers, of any
    path, have fail_status. downtime: every answer has this status (503 or 504), 0 for none.
    stale_sequence: `sequence.json` is that many numbers behind.
    """

    latency_ms: Count = 0
    error_rate: Rate = 0.0
    truncate_rate: Rate = 0.0
    duplicate_rate: Rate = 0.0
    reorder_rate: Rate = 0.0
    gap_rate: Rate = 0.0
    gap_seconds: Annotated[float, msgspec.Meta(ge=0)] = 90.0
    burst_404: Count = 0
    fail_next: Count = 0
    fail_status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 429
    downtime: Annotated[int, msgspec.Meta(ge=0, le=599)] = 0
    stale_sequence: Count = 0

    def changed(self, body: bytes) -> InjectedFaults:
        """Return these faults with the fields of a JSON object put in. Raises Malformed for anything else."""
        try:
            wanted = decode_json(body, dict[str, float | int])
            return msgspec.convert({**msgspec.to_builtins(self), **wanted}, InjectedFaults)
        except msgspec.ValidationError as error:
            raise Malformed(str(error)) from None


def parse_faults(pairs: list[str]) -> InjectedFaults:
    """Return the faults named by `name=value` pairs, as the command line gives them. Raises BadSetting."""
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in InjectedFaults.__struct_fields__:
            known = ", ".join(InjectedFaults.__struct_fields__)
            raise BadSetting(f"--fault {pair} is not name=value with one of these names: {known}.")
        values[name] = value
    try:
        return msgspec.convert(values, InjectedFaults, strict=False)
    except msgspec.ValidationError as error:
        raise BadSetting(f"--fault cannot be used: {error}.") from None


class Mischief:
    """The faults of one simulator, and the dice that say whom they hit."""

    def __init__(self, seed: int, faults: InjectedFaults) -> None:
        """Start with these faults; `faults` may be replaced at any time."""
        self.faults = faults
        self.rules: list[Rule] = []
        self._seed = seed
        self._rolls = 0

    def roll(self) -> float:
        """Return the next number of [0, 1)."""
        self._rolls += 1
        return fraction(self._seed, 80, self._rolls)

    def fate(self, path: str) -> Fate:
        """Return what becomes of a request of this path; uses up one of what is limited in number."""
        faults = self.faults
        everywhere = Rule(
            where="/*",
            jitter_ms=faults.latency_ms,
            error_rate=faults.error_rate,
            statuses=(500, 502, 503),
            truncate_rate=faults.truncate_rate,
        )
        fate = fate_of(path, [everywhere, *self.rules], self.roll)
        if faults.downtime:
            return replace(fate, status=faults.downtime, retry_after=None)
        if faults.fail_next:
            faults.fail_next -= 1
            return replace(fate, status=faults.fail_status, retry_after=None)
        return fate

    def hides_package(self) -> bool:
        """Return whether this ask for a package answers 404; uses up one of `burst_404`."""
        if not self.faults.burst_404:
            return False
        self.faults.burst_404 -= 1
        return True
