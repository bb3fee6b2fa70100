"""The ESI client against a server that does what ESI does on bad days."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import format_datetime

import pytest
from aiohttp import web

from killreport.clock import monotonic, utc_now
from killreport.config import Settings
from killreport.db.database import Database
from killreport.errors import HostAway, Malformed, NotFound, Refused, Transient, Unavailable
from killreport.esi import transport
from killreport.esi.budget import Budget
from killreport.esi.client import EsiClient, open_esi
from killreport.eve.load import keep_packaged_universe
from killreport.sim.server import run_simulator

BODY = b'{"name":"Ana","corporation_id":98000001,"birthday":"2010-01-01T00:00:00Z"}'
SOON = "Thu, 01 Jan 2099 00:00:00 GMT"

Answer = Callable[[web.Request], web.Response]


class Server:
    """Answers with what it is given, the last for ever, and remembers what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[web.Request] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return answer(request)


def answer(status: int = 200, body: bytes = BODY, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: web.Response(status=status, body=body, headers=named)


@asynccontextmanager
async def esi_of(settings: Settings, database: Database, server: Server) -> AsyncIterator[EsiClient]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with open_esi(settings.replace(esi_url=f"http://127.0.0.1:{port}"), database) as esi:
            yield esi
    finally:
        await runner.cleanup()


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "FIRST_PAUSE_SECONDS", 0.001)


async def test_every_request_names_the_day_its_answer_is_shaped_as(settings: Settings, database: Database) -> None:
    server = Server(answer())
    async with esi_of(settings, database, server) as esi:
        assert (await esi.character(90_000_001)).name == "Ana"
    assert server.requests[0].headers["X-Compatibility-Date"] == transport.COMPATIBILITY_DATE
    assert server.requests[0].headers["User-Agent"].startswith("killreport/")
    assert server.requests[0].path == "/characters/90000001"


async def test_a_fresh_answer_is_not_asked_for_again_by_any_process(settings: Settings, database: Database) -> None:
    server = Server(answer(Expires=SOON))
    async with esi_of(settings, database, server) as one:
        await one.character(1)
    async with esi_of(settings, database, server) as other:
        assert (await other.character(1)).name == "Ana"
    assert len(server.requests) == 1


async def test_an_expired_answer_is_renewed_by_its_etag(settings: Settings, database: Database) -> None:
    past = format_datetime(utc_now().replace(year=2020), usegmt=True)
    server = Server(answer(ETag='"a"', Expires=past), answer(304, b"", Expires=SOON))
    async with esi_of(settings, database, server) as esi:
        for _ in range(3):
            assert (await esi.character(1)).name == "Ana"
    assert [request.headers.get("If-None-Match") for request in server.requests] == [None, '"a"']


async def test_what_a_token_read_is_never_kept(settings: Settings, database: Database) -> None:
    server = Server(answer(body=b"[]", Expires=SOON, X_Pages="3"))
    async with esi_of(settings, database, server) as esi:
        for token in ("one", "two"):
            assert (await esi.character_killmails(1, token, 1)).pages == 3
    assert [request.headers["Authorization"] for request in server.requests] == ["Bearer one", "Bearer two"]
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from esi_cache") == 0


async def test_a_server_that_stumbles_is_asked_again(settings: Settings, database: Database) -> None:
    server = Server(answer(502), answer(503), answer())
    async with esi_of(settings, database, server) as esi:
        assert (await esi.character(1)).name == "Ana"


@pytest.mark.parametrize(
    ("status", "error", "requests"),
    [
        (404, NotFound, 1),
        (410, NotFound, 1),
        (422, Refused, 1),
        (403, Refused, 1),
        (301, HostAway, 3),
        (500, Transient, 3),
    ],
)
async def test_an_answer_that_is_an_error_says_whether_asking_again_can_help(
    settings: Settings, database: Database, status: int, error: type[Exception], requests: int
) -> None:
    server = Server(answer(status))
    async with esi_of(settings, database, server) as esi:
        with pytest.raises(error):
            await esi.character(1)
    assert len(server.requests) == requests


async def test_an_answer_that_unpacks_to_more_than_any_answer_is_malformed(
    settings: Settings, database: Database
) -> None:
    bomb = gzip.compress(b" " * (64 * 2**20))
    tracemalloc.start()
    try:
        async with esi_of(settings, database, Server(answer(body=bomb, Content_Encoding="gzip"))) as esi:
            with pytest.raises(Malformed, match="larger than"):
                await esi.character(1)
        assert tracemalloc.get_traced_memory()[1] < 40 * 2**20
    finally:
        tracemalloc.stop()


async def test_an_answer_that_cannot_be_unpacked_counts_as_an_attempt(settings: Settings, database: Database) -> None:
    async with esi_of(settings, database, Server(answer(body=b"plain", Content_Encoding="gzip"))) as esi:
        with pytest.raises(Transient):
            await esi.character(1)
        assert esi.metrics() == {"/characters/{id} cut short": 3}


@pytest.mark.parametrize(
    "change",
    [
        b'"name":"A\\u0000na"',
        b'"corporation_id":%d' % 2**63,
        b'"corporation_id":-1',
        b'"birthday":"once upon a time"',
        b'"security_status":NaN',
        b'"security_status":1e999',
        b'"description":7',
        b'"new":' + b"[" * 5000 + b"]" * 5000,
    ],
)
async def test_what_cannot_be_read_is_malformed(settings: Settings, database: Database, change: bytes) -> None:
    body = BODY[:-1] + b"," + change + b"}"
    async with esi_of(settings, database, Server(answer(body=body))) as esi:
        with pytest.raises(Malformed):
            await esi.character(1)


async def test_headers_that_make_no_sense_change_nothing(settings: Settings, database: Database) -> None:
    odd = answer(X_Pages="\u00b2", Expires="Fri, 31 Dec 9999 23:59:59 -0000", X_ESI_Error_Limit_Remain="9" * 5000)
    async with esi_of(settings, database, Server(odd)) as esi:
        assert (await esi.character(1)).name == "Ana"
    async with database.connection() as connection:
        latest = await connection.fetchval("select expires_at from esi_cache")
    assert latest <= utc_now() + transport.MAX_FRESH


async def test_nonsense_is_not_kept(settings: Settings, database: Database) -> None:
    async with esi_of(settings, database, Server(answer(body=b"<html>", Expires=SOON), answer())) as esi:
        with pytest.raises(Malformed):
            await esi.character(1)
        assert (await esi.character(1)).name == "Ana"


async def test_nonsense_is_malformed(settings: Settings, database: Database) -> None:
    async with esi_of(settings, database, Server(answer(body=b"<html>"))) as esi:
        with pytest.raises(Malformed):
            await esi.character(1)


async def test_too_many_errors_pause_every_process(settings: Settings, database: Database) -> None:
    server = Server(answer(420, X_ESI_Error_Limit_Reset="40"))
    async with esi_of(settings, database, server) as one, esi_of(settings, database, server) as other:
        for esi in (one, other):
            with pytest.raises(Transient) as caught:
                await esi.corporation(1)
            assert caught.value.retry_after == pytest.approx(40, abs=5)
    assert len(server.requests) == 1


async def test_few_errors_left_are_left_alone(settings: Settings, database: Database) -> None:
    server = Server(answer(404, X_ESI_Error_Limit_Remain="19", X_ESI_Error_Limit_Reset="30"))
    async with esi_of(settings, database, server) as esi:
        with pytest.raises(NotFound):
            await esi.corporation(1)
        with pytest.raises(Transient):
            await esi.corporation(2)
    assert len(server.requests) == 1


async def test_a_full_bucket_pauses_its_group_alone(settings: Settings, database: Database) -> None:
    limited = answer(429, Retry_After="50", X_Ratelimit_Group="killmail")
    server = Server(limited, answer())
    async with esi_of(settings, database, server) as esi:
        for _ in range(2):
            with pytest.raises(Transient) as caught:
                await esi.killmail(1, "ab" * 20)
            assert caught.value.retry_after == pytest.approx(50, abs=5)
        assert (await esi.character(1)).name == "Ana"
    assert len(server.requests) == 2


async def test_a_downtime_stops_everybody_until_status_answers(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_up = False

    def by_path(request: web.Request) -> web.Response:
        if not is_up:
            return web.Response(status=503)
        return web.Response(body=b'{"players":1,"server_version":"1"}' if request.path == "/status" else BODY)

    monkeypatch.setattr(transport, "PROBE_SECONDS", 0.05)
    server = Server(by_path)
    async with esi_of(settings, database, server) as one, esi_of(settings, database, server) as other:
        for number in range(transport.FAILURES_OF_DOWNTIME // transport.TRIES):
            with pytest.raises(Transient):
                await one.character(number + 1)
        with pytest.raises(Unavailable):
            await one.character(100)
        asked = len(server.requests)
        with pytest.raises(Unavailable):
            await other.character(1)
        assert {request.path for request in server.requests[asked:]} <= {"/status"}
        is_up = True
        async with asyncio.timeout(20):
            while True:
                try:
                    found = await other.character(1)
                    break
                except Unavailable:
                    await asyncio.sleep(0.02)
        assert found.name == "Ana"
        assert (await one.character(1)).name == "Ana"


async def test_two_processes_together_stay_within_the_budget(database: Database) -> None:
    moments: list[float] = []

    async def ask(budget: Budget) -> None:
        for _ in range(20):
            await budget.turn()
            moments.append(monotonic())

    budgets = [Budget(database, 200) for _ in range(2)]
    await asyncio.gather(*(ask(budget) for budget in budgets for _ in range(5)))
    # 200 turns at 200 a second; the first is at once.
    assert max(moments) - min(moments) >= 199 / 200 - 0.1


async def test_the_simulators_entities_are_all_read(settings: Settings, database: Database) -> None:
    async with (
        run_simulator(settings.home.parent / "sim", universe=keep_packaged_universe(), seed=1) as url,
        open_esi(settings.replace(esi_url=url, esi_requests_per_second=1000), database) as esi,
    ):
        alliances = await esi.alliance_ids()
        corporations = await esi.alliance_corporation_ids(alliances[0])
        corporation = await esi.corporation(corporations[0])
        assert corporation.alliance_id == alliances[0]
        assert (await esi.alliance(alliances[0])).name
        assert corporation.ceo_id is not None
        character = await esi.character(corporation.ceo_id)
        affiliations = await esi.affiliations([corporation.ceo_id])
        assert affiliations[0].corporation_id == character.corporation_id
        names = await esi.names([corporation.ceo_id, corporations[0], alliances[0]])
        assert {name.category for name in names} == {"character", "corporation", "alliance"}
        assert (await esi.type_(587)).name == "Rifter"
        assert await esi.market_prices()
