"""The windows and budgets of the real hosts."""

from __future__ import annotations

from killreport.sim.access.limits import ErrorLimit, FeedLimit, PauseLimit, TokenBuckets


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_the_sixteenth_request_of_a_second_is_refused_and_told_when_to_come_back() -> None:
    clock = Clock()
    limit = FeedLimit(clock)

    verdicts = [limit.ask("10.0.0.1") for _ in range(16)]

    assert [verdict.status for verdict in verdicts] == [200] * 15 + [429]
    assert verdicts[-1].retry_after == 10


def test_a_block_ends_after_its_ten_seconds_and_not_before() -> None:
    clock = Clock()
    limit = FeedLimit(clock)
    for _ in range(16):
        limit.ask("10.0.0.1")

    clock.now += 9.5
    assert (limit.ask("10.0.0.1").status, limit.ask("10.0.0.1").retry_after) == (429, 1)
    clock.now += 0.5
    assert limit.ask("10.0.0.1").is_allowed


def test_fifteen_requests_a_second_go_on_for_ever() -> None:
    clock = Clock()
    limit = FeedLimit(clock)

    for _ in range(150):
        assert limit.ask("10.0.0.1").is_allowed
        clock.now += 0.067


def test_who_ignores_the_refusal_is_banned_for_an_hour() -> None:
    clock = Clock()
    limit = FeedLimit(clock, violations=5)
    statuses = [limit.ask("10.0.0.1").status for _ in range(15 + 6)]

    assert statuses[15:] == [429, 429, 429, 429, 403, 403]
    clock.now += 3599
    assert limit.ask("10.0.0.1").status == 403
    clock.now += 1
    assert limit.ask("10.0.0.1").is_allowed


def test_one_address_does_not_use_up_anothers_limit() -> None:
    clock = Clock()
    limit = FeedLimit(clock)
    for _ in range(16):
        limit.ask("10.0.0.1")

    assert limit.ask("10.0.0.2").is_allowed


def test_tokens_come_back_when_they_are_fifteen_minutes_old() -> None:
    clock = Clock()
    buckets = TokenBuckets(clock)
    for _ in range(15):
        state = buckets.state("char-killmail", "me", 30, TokenBuckets.cost(200))
    assert (state.remaining, state.used, state.window) == (0, 2, "15m")

    clock.now += 899
    assert buckets.state("char-killmail", "me", 30).remaining == 0
    assert buckets.state("char-killmail", "me", 30).retry_after == 2
    clock.now += 1
    assert buckets.state("char-killmail", "me", 30).remaining == 30


def test_answers_cost_what_they_do_at_esi() -> None:
    assert [TokenBuckets.cost(status) for status in (200, 304, 404, 422, 429, 500, 503)] == [2, 1, 5, 5, 0, 0, 0]


def test_a_hundred_errors_in_a_minute_are_the_end_of_it_until_the_next() -> None:
    clock = Clock()
    clock.now = 60_000.0 + 20
    limit = ErrorLimit(clock)
    for _ in range(100):
        limit.count_error("me")

    assert limit.standing("me") == (0, 40)
    assert limit.standing("you") == (100, 40)
    clock.now += 40
    assert limit.standing("me") == (100, 60)


def test_a_list_may_be_asked_for_every_ten_seconds_and_a_refusal_does_not_begin_them_anew() -> None:
    clock = Clock()
    limit = PauseLimit(clock)

    verdicts = [limit.ask("10.0.0.1")]
    for pause in (0.0, 4.0, 5.9):
        clock.now += pause
        verdicts.append(limit.ask("10.0.0.1"))

    assert [verdict.status for verdict in verdicts] == [200, 429, 429, 200]
    assert [verdict.retry_after for verdict in verdicts] == [0, 10, 6, 0]
    assert limit.ask("10.0.0.2").is_allowed
