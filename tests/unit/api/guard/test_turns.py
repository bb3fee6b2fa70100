"""Work that holds up the loop takes turns."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest
from graphql import GraphQLError

from killreport.api.door.guard.turns import Turns


async def test_between_two_pieces_of_work_everything_else_has_its_turn() -> None:
    turns = Turns(60)
    order: list[str] = []

    async def work() -> None:
        async with turns.turn():
            order.append("work")
            until = time.perf_counter() + 0.01
            while time.perf_counter() < until:
                pass

    async def others() -> None:
        while order.count("work") < 5:
            order.append("other")
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(work())
        group.create_task(others())
    places = [place for place, what in enumerate(order) if what == "work"]
    assert len(places) == 5
    assert all(after - before > 1 for before, after in pairwise(places))


async def test_a_turn_that_does_not_come_is_given_up_with_a_sentence() -> None:
    turns = Turns(0.01)
    async with turns.turn():
        with pytest.raises(GraphQLError, match="Too many new queries wait to be read") as refused:
            async with turns.turn():
                pytest.fail("it is not its turn")
    assert refused.value.extensions == {"code": "TIMEOUT"}
    async with turns.turn():
        pass


async def test_who_fails_gives_its_turn_back() -> None:
    turns = Turns(0.01)
    for _ in range(2):
        with pytest.raises(KeyError):
            async with turns.turn():
                raise KeyError
