"""Running the simulator on a port: for the command, and for tests.

    async with run_simulator(home) as url:            # a free port, nothing published by the clock, no limits
        await session.post(f"{url}/control/publish", json={"count": 5})

One URL serves R2Z2 (/ephemeral, /history), RedisQ (/listen.php), zKillboard (/api), EVE Ref (/market-history), CCP's
static data (/static-data), ESI (at the root) and the control (/control). `home` is a KILLREPORT_HOME: the simulator
keeps its journal in `home`/sim.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from killreport.background import beside, keep
from killreport.errors import Conflict
from killreport.eve.load import read_packaged_universe
from killreport.eve.universe import Universe
from killreport.sim.access.faults import InjectedFaults
from killreport.sim.app import create_app
from killreport.sim.simulator import Options, Simulator, now, open_simulator, publish_opening


@asynccontextmanager
async def serve(
    home: Path,
    universe: Universe,
    options: Options,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    mails_per_minute: float = 0.0,
    clock: Callable[[], float] = now,
) -> AsyncIterator[tuple[str, Simulator]]:
    """Open the simulator, publish its opening, and serve it; yields its URL and itself.

    port: 0 for any free one. mails_per_minute: 0 publishes by hand only. clock: unix seconds.
    Raises Conflict where the port or the home is taken.
    """
    with open_simulator(home, universe, options, clock) as simulator:
        await publish_opening(simulator)
        runner = web.AppRunner(create_app(simulator), access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            async with AsyncExitStack() as stack:
                if mails_per_minute > 0:
                    publishing = keep(lambda: simulator.publisher.run(mails_per_minute), "publishing")
                    await stack.enter_async_context(beside(publishing))
                yield await _listen(runner, host, port), simulator
        finally:
            await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> str:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise Conflict(
            f"Port {port} of {host} cannot be used ({error.strerror}): choose another with --port."
        ) from None
    address = runner.addresses[0]
    return f"http://{host}:{address[1]}"


@asynccontextmanager
async def run_simulator(
    home: Path,
    port: int = 0,
    *,
    universe: Universe | None = None,
    seed: int = 1,
    corpus: tuple[Path, ...] = (),
    mails_per_minute: float = 0.0,
    opening: int = 0,
    history_days: int = 0,
    has_limits: bool = False,
    has_full_redisq: bool = False,
    has_full_lists: bool = True,
    clock: Callable[[], float] = now,
    **faults: Any,
) -> AsyncIterator[str]:
    """Run a simulator in this event loop and yield its URL: by default silent, empty and without limits.

    universe: the packaged one where none is given. faults: fields of `killreport.sim.access.faults.InjectedFaults`.
    """
    if universe is None:
        universe = read_packaged_universe()
    options = Options(
        seed=seed,
        corpus=corpus,
        history_days=history_days,
        opening=opening,
        has_limits=has_limits,
        has_full_redisq=has_full_redisq,
        has_full_lists=has_full_lists,
        faults=InjectedFaults(**faults),
    )
    async with serve(
        home,
        universe,
        options,
        port=port,
        mails_per_minute=mails_per_minute,
        clock=clock,
    ) as (url, _):
        yield url
