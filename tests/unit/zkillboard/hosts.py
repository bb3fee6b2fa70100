"""A clock that is moved by waiting, a host that answers from a table, and packages to put there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from killreport.errors import KillreportError, NotFound
from killreport.zkillboard.package import Package, decode_package
from killreport.zkillboard.walk import Answer, Ask, FoundPackage, Head, Wait, Walk

HASH = "cea7da03d815cbe8d5db3d135ed6f7e3a6ec2e60"


class Clock:
    """Seconds since the start of the test; whoever sleeps moves them on at once."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Host:
    """Answers each URL with the next of its answers, the last for ever; 404 for any other URL."""

    def __init__(self, answers: Mapping[str, list[bytes | KillreportError]]) -> None:
        self.answers = {url: list(given) for url, given in answers.items()}
        self.asked: list[str] = []

    async def get(self, url: str, params: Mapping[str, str] | None = None) -> bytes:
        self.asked.append(url)
        answers = self.answers.get(url)
        if answers is None:
            raise NotFound(url)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, KillreportError):
            raise answer
        return answer

    async def stream(self, url: str) -> AsyncIterator[bytes]:
        body = await self.get(url)
        for start in range(0, len(body), 7):
            yield body[start : start + 7]


def package_body(killmail_id: int = 900, **fields: Any) -> bytes:
    """Return a file of the feed; fields replace those of the envelope."""
    envelope = {
        "killmail_id": killmail_id,
        "hash": HASH,
        "esi": {"killmail_id": killmail_id, "victim": {"ship_type_id": 587}},
        "zkb": {"locationID": 40000001, "labels": ["pvp"]},
        "sequence_id": 1,
        **fields,
    }
    return json.dumps(envelope).encode()


def package(sequence: int, **fields: Any) -> Package:
    """Return a package with this number."""
    return decode_package(package_body(**fields), sequence)


class Follower:
    """Drives a walk against a set of numbers that are there, and notes what it asked and when."""

    def __init__(self, walk: Walk, *, there: set[int], head: int | None = None) -> None:
        self.walk = walk
        self.there = there
        self.head = max(there, default=0) if head is None else head
        self.now = 1000.0
        self.asked: list[tuple[int | None, float]] = []

    def step(self, answer: Answer | None = None) -> Any:
        """Do one step, with the given answer or the one that follows from what is there; waits pass at once."""
        step = self.walk.next_step(self.now)
        if isinstance(step, Wait):
            self.now += step.seconds
            return None
        self.asked.append((step.sequence, self.now))
        return self.walk.take(step, answer or self.answer(step), self.now)

    def answer(self, ask: Ask) -> Answer:
        if ask.sequence is None:
            return Head(self.head)
        return FoundPackage(package(ask.sequence)) if ask.sequence in self.there else NotFound("not there")

    def until_delivery(self, most_steps: int = 200) -> Any:
        """Step until something is to be stored, and return it."""
        for _ in range(most_steps):
            delivery = self.step()
            if delivery is not None:
                return delivery
        raise AssertionError(f"nothing to store after {most_steps} steps: {self.asked[-10:]}")
