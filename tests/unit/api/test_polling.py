"""One look on behalf of everybody who follows."""

from __future__ import annotations

import asyncio

from killreport.api.state.polling import Poll


class Seen:
    """Something to look at: each look takes the next state, and the last one stays."""

    def __init__(self, *states: int | Exception) -> None:
        self.states = list(states)
        self.looks = 0

    async def look(self) -> int:
        """Return the next state, or raise it."""
        self.looks += 1
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return state


async def test_followers_share_the_looks_and_equal_states_are_no_news() -> None:
    seen = Seen(1, 1, 1, 2)
    poll = Poll("test", seen.look, 0.0)
    one, other = poll.follow(), poll.follow()
    assert [await anext(one), await anext(other)] == [1, 1]
    assert seen.looks <= 2
    assert [await anext(one), await anext(other)] == [2, 2]
    await poll.close()


async def test_a_slow_follower_gets_the_latest_state_only() -> None:
    poll = Poll("test", Seen(1, 2, 3).look, 0.0)
    quick, slow = poll.follow(), poll.follow()
    assert [await anext(quick) for _ in range(3)] == [1, 2, 3]
    assert await anext(slow) == 3
    await poll.close()


async def test_a_look_that_fails_is_not_the_last() -> None:
    poll = Poll("test", Seen(RuntimeError("away"), 4).look, 0.0)
    assert await anext(poll.follow()) == 4
    await poll.close()


async def test_nobody_looks_while_nobody_follows_and_who_comes_later_gets_no_old_state() -> None:
    seen = Seen(1, 5)
    poll = Poll("test", seen.look, 0.0)
    follower = poll.follow()
    assert await anext(follower) == 1
    await follower.aclose()
    (looking,) = [task for task in asyncio.all_tasks() if task.get_name() == "poll-test"]
    await looking
    looks = seen.looks
    later = poll.follow()
    assert await anext(later) == 5
    assert seen.looks > looks
    await poll.close()
