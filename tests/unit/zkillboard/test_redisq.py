"""The RedisQ-shaped feed: both ages of its packages, and what it does when something is in the way."""

from __future__ import annotations

import json

import pytest

from killreport.errors import Garbled, HostAway, KillreportError, Malformed, Refused, Transient, Unavailable
from killreport.zkillboard.package import FeedDelivery, Package, UnreadablePackage
from killreport.zkillboard.redisq import MAX_WRONG_BODIES, Address, RedisqFeed
from tests.unit.zkillboard.hosts import HASH, Clock, Host

LISTEN = "https://queue/listen.php"
KILLMAIL = f"https://esi/killmails/9/{HASH}/"
ZKB = {"hash": HASH, "locationID": 4}
OLD = json.dumps({"package": {"killID": 9, "killmail": {"killmail_id": 9}, "zkb": ZKB}}).encode()
NEW = json.dumps({"package": {"killID": 9, "zkb": {"hash": HASH, "href": "https://elsewhere/"}}}).encode()
NONE = b'{"package": null}'


class Esi:
    """Reads killmails from the table of a host."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def killmail(self, killmail_id: int, killmail_hash: str) -> bytes:
        return await self._host.get(f"https://esi/killmails/{killmail_id}/{killmail_hash}/")


def make_feed(
    queue: list[bytes | KillreportError], esi: list[bytes | KillreportError] | None = None
) -> tuple[RedisqFeed, Host, Clock]:
    clock = Clock()
    host = Host({LISTEN: queue, KILLMAIL: esi or [Refused("unasked")]})
    return RedisqFeed(host, Esi(host), Address("https://queue", "killreport"), sleep=clock.sleep), host, clock


async def test_a_package_with_its_killmail_is_handed_on_as_it_is() -> None:
    feed, host, _ = make_feed([OLD])

    delivery = await feed.next()

    assert isinstance(delivery.package, Package)
    assert (bytes(delivery.package.esi), delivery.package.zkb.location_id) == (b'{"killmail_id": 9}', 4)
    assert delivery.next_sequence is None
    assert host.asked == [LISTEN]


async def test_a_package_without_its_killmail_is_completed_from_esi_by_id_and_hash() -> None:
    feed, host, _ = make_feed([NEW], [b'{"killmail_id": 9, "victim": {}}'])

    delivery = await feed.next()

    assert isinstance(delivery.package, Package)
    assert bytes(delivery.package.esi) == b'{"killmail_id": 9, "victim": {}}'
    assert (delivery.package.killmail_id, delivery.package.hash) == (9, HASH)
    assert host.asked == [LISTEN, KILLMAIL]


async def test_an_empty_queue_is_asked_again_at_once() -> None:
    feed, host, clock = make_feed([NONE, NONE, OLD])

    await feed.next()

    assert (host.asked, clock.slept) == ([LISTEN] * 3, [])


async def test_a_package_whose_killmail_esi_cannot_give_now_is_not_let_go() -> None:
    feed, host, clock = make_feed(
        [NEW, NONE], [HostAway("502"), Transient("420", 7.0), b'{"killmail_', b'{"killmail_id": 9}']
    )

    delivery = await feed.next()

    assert isinstance(delivery.package, Package)
    assert host.asked == [LISTEN] + [KILLMAIL] * 4
    assert clock.slept == [1.0, 7.0, 2.0]


async def test_a_killmail_that_esi_refuses_is_handed_on_as_unreadable_with_the_whole_package() -> None:
    feed, _, _ = make_feed([NEW, OLD], [Refused("esi answered 422")])

    first, second = await feed.next(), await feed.next()

    assert first == FeedDelivery(UnreadablePackage("esi answered 422", "$", NEW, None, 9))
    assert isinstance(second.package, Package)


@pytest.mark.parametrize("error", [Garbled("cut short"), Malformed("too large")])
async def test_a_killmail_that_never_comes_whole_does_not_hold_up_the_feed(error: KillreportError) -> None:
    feed, host, _ = make_feed([NEW, OLD], [error])

    first, second = await feed.next(), await feed.next()

    assert first == FeedDelivery(UnreadablePackage(str(error), "$", NEW, None, 9))
    assert isinstance(second.package, Package)
    assert host.asked.count(KILLMAIL) == MAX_WRONG_BODIES


async def test_a_package_with_neither_killmail_nor_hash_is_unreadable() -> None:
    body = b'{"package": {"killID": 9, "zkb": {}}}'
    feed, _, _ = make_feed([body])

    delivery = await feed.next()

    assert delivery.package == UnreadablePackage("neither a killmail nor its hash", "$.package.zkb.hash", body, None, 9)


async def test_an_answer_that_is_no_package_is_unreadable() -> None:
    feed, _, _ = make_feed([b"<html>"])

    delivery = await feed.next()

    assert isinstance(delivery.package, UnreadablePackage)
    assert (delivery.package.path, delivery.package.body) == ("$", b"<html>")


async def test_trouble_at_the_queue_is_waited_out() -> None:
    feed, host, clock = make_feed([Transient("429", 2.0), Refused("403"), Unavailable("502"), Unavailable("502"), OLD])

    await feed.next()

    assert len(host.asked) == 5
    assert clock.slept == [2.0, 3600.0, 1.0, 2.0]
