"""Kept answers."""

from __future__ import annotations

import asyncio
import gzip

import zstandard

from killreport.api.door.guard.operation import Lifetime
from killreport.api.door.guard.responses import ENTITIES, Answer, Entry, Key, ResponseCache
from killreport.api.views.cache_tags import tag_entities

LIFETIME = Lifetime(10, frozenset({"killmails"}))
KEY: Key = ("hash", None, b"null")


class Clock:
    """A clock that stands still until told."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


async def answer() -> Answer:
    """Return an answer without errors."""
    return Answer({"data": {"a": 1}})


async def test_a_whole_answer_is_kept_for_its_life() -> None:
    clock = Clock()
    cache = ResponseCache(10_000, clock=clock)
    kept = await cache.shared(KEY, LIFETIME, answer)
    assert isinstance(kept, Entry)
    assert kept.body == b'{"data":{"a":1}}'
    clock.now += 9.5
    assert cache.find(KEY) is kept
    clock.now += 0.5
    assert cache.find(KEY) is None
    assert cache.bytes == 0


async def test_an_answer_with_errors_is_never_kept() -> None:
    cache = ResponseCache(10_000)
    for told in (Answer({"data": {"a": None}, "errors": []}), Answer({"data": {"a": 1}}, 429)):

        async def partial(told: Answer = told) -> Answer:
            return told

        assert await cache.shared(KEY, LIFETIME, partial) is told
        assert cache.find(KEY) is None


async def test_who_asks_meanwhile_waits_for_the_same_answer() -> None:
    cache = ResponseCache(10_000)
    go_on = asyncio.Event()
    calls = 0

    async def slow() -> Answer:
        nonlocal calls
        calls += 1
        await go_on.wait()
        return await answer()

    asking = [asyncio.create_task(cache.shared(KEY, LIFETIME, slow)) for _ in range(50)]
    await asyncio.sleep(0)
    go_on.set()
    found = await asyncio.gather(*asking)
    assert calls == 1
    assert all(one is found[0] for one in found)


async def test_who_waits_for_an_answer_that_fails_computes_its_own() -> None:
    cache = ResponseCache(10_000)
    go_on = asyncio.Event()

    async def failing() -> Answer:
        await go_on.wait()
        raise RuntimeError

    first = asyncio.create_task(cache.shared(KEY, LIFETIME, failing))
    await asyncio.sleep(0)
    second = asyncio.create_task(cache.shared(KEY, LIFETIME, answer))
    await asyncio.sleep(0)
    go_on.set()
    assert isinstance(await second, Answer)
    assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], RuntimeError)


async def test_an_event_ends_the_life_of_what_it_concerns() -> None:
    cache = ResponseCache(10_000)
    other: Key = ("other", None, b"null")
    await cache.shared(KEY, LIFETIME, answer)
    await cache.shared(other, Lifetime(10), answer)
    cache.drop("killmails")
    assert cache.find(KEY) is None
    assert cache.find(other) is not None


async def test_what_was_begun_before_an_event_is_neither_kept_nor_given_to_who_asks_after_it() -> None:
    cache = ResponseCache(10_000)
    go_on = asyncio.Event()

    async def old() -> Answer:
        await go_on.wait()
        return Answer({"data": "old"})

    async def new() -> Answer:
        return Answer({"data": "new"})

    before = asyncio.create_task(cache.shared(KEY, LIFETIME, old))
    await asyncio.sleep(0)
    cache.drop("killmails")
    after = await cache.shared(KEY, LIFETIME, new)
    go_on.set()
    await before
    assert isinstance(after, Entry)
    assert after.body == b'{"data":"new"}'
    assert cache.find(KEY) is after


async def keep(cache: ResponseCache, name: str, *shown: int, tags: frozenset[str] = frozenset()) -> Key:
    """Have the cache keep an answer that shows these entities, as tasks of its resolvers note them."""

    async def note() -> None:
        tag_entities(shown)

    async def compute() -> Answer:
        await asyncio.gather(*(asyncio.create_task(note()) for _ in range(2)))
        return await answer()

    key: Key = (name, None, b"null")
    await cache.shared(key, Lifetime(10, tags), compute)
    return key


async def test_news_of_entities_ends_the_life_of_the_answers_that_show_them() -> None:
    cache = ResponseCache(20_000)
    shows, does_not, nobody = await keep(cache, "a", 1, 2), await keep(cache, "b", 3), await keep(cache, "c")
    searched = await keep(cache, "d", tags=frozenset({ENTITIES}))
    cache.drop_showing(frozenset({2, 4}))
    assert [cache.find(key) is None for key in (shows, does_not, nobody, searched)] == [True, False, False, True]
    cache.drop_showing(None)
    assert [cache.find(key) is None for key in (does_not, nobody)] == [True, False]


async def test_an_answer_that_had_read_an_entity_before_the_news_of_it_is_not_kept() -> None:
    cache = ResponseCache(10_000)
    has_read, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> Answer:
        tag_entities([7])
        has_read.set()
        await go_on.wait()
        return await answer()

    asking = asyncio.create_task(cache.shared(KEY, LIFETIME, slow))
    await has_read.wait()
    cache.drop_showing(frozenset({7}))
    go_on.set()
    assert isinstance(await asking, Entry)
    assert cache.find(KEY) is None


async def test_memory_is_bounded_and_the_longest_unused_goes_first() -> None:
    cache = ResponseCache(10_000)

    async def large() -> Answer:
        return Answer({"data": "x" * 500})

    keys: list[Key] = [(str(number), None, b"null") for number in range(20)]
    for key in keys:
        await cache.shared(key, LIFETIME, large)
        assert cache.find(keys[0]) is not None
        assert cache.bytes <= 10_000
    assert cache.find(keys[1]) is None
    assert cache.find(keys[-1]) is not None


async def test_an_answer_that_would_push_out_the_rest_is_not_kept() -> None:
    cache = ResponseCache(10_000)

    async def huge() -> Answer:
        return Answer({"data": "x" * 5_000})

    assert isinstance(await cache.shared(KEY, LIFETIME, huge), Entry)
    assert cache.find(KEY) is None


async def test_bodies_are_sent_in_the_coding_the_client_accepts() -> None:
    cache = ResponseCache(100_000)

    async def large() -> Answer:
        return Answer({"data": "x" * 5_000})

    entry = await cache.shared(KEY, LIFETIME, large)
    assert isinstance(entry, Entry)
    assert entry.variant("") == (entry.body, None)
    body, coding = entry.variant("gzip, deflate")
    assert (gzip.decompress(body), coding) == (entry.body, "gzip")
    body, coding = entry.variant("gzip, zstd")
    assert (zstandard.ZstdDecompressor().decompress(body), coding) == (entry.body, "zstd")
    assert entry.variant("gzip")[0] is entry.variant("gzip")[0]
