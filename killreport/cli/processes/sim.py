"""`killreport sim`: New Eden in a box, in the foreground, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from killreport.cli.context import load

if TYPE_CHECKING:
    from killreport.config import Settings
    from killreport.sim.simulator import Options


def sim(  # noqa: PLR0917 - the options of a command
    port: Annotated[
        int | None, typer.Option(help="Port; 0: any free port. Default: the setting sim_port.", min=0, max=65_535)
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random data.", min=0, max=2**31 - 1)] = 1,
    rate: Annotated[float, typer.Option(help="Killmails per minute; 0: publish on demand only.", min=0)] = 60.0,
    corpus: Annotated[
        list[Path] | None,
        typer.Option(help="Replay these killmails (ESI's shape, any kind of file `import` reads) in order of time."),
    ] = None,
    history_days: Annotated[int, typer.Option(help="Past days to fill on the first start.", min=0, max=365)] = 0,
    opening: Annotated[
        int | None,
        typer.Option(
            help="Killmails to publish on the first start; default: 300, or 0 with a corpus.", min=0, max=100_000
        ),
    ] = None,
    limits: Annotated[bool, typer.Option("--limits/--no-limits", help="Enforce the real hosts' rate limits.")] = True,
    full_redisq: Annotated[
        bool, typer.Option(help="Put whole killmails into RedisQ packages, as before 2025-12.")
    ] = False,
    fault: Annotated[
        list[str] | None, typer.Option(help="Fault to inject, such as error_rate=0.05; may be repeated.")
    ] = None,
) -> None:
    """Simulate R2Z2, RedisQ, zKillboard's API, ESI, EVE Ref and CCP's static data, with made-up or replayed killmails.

    Example: killreport sim --rate 600 --history-days 7
    """
    from killreport.sim.access.faults import parse_faults
    from killreport.sim.simulator import Options

    settings = load("sim")
    options = Options(
        seed=seed,
        corpus=tuple(corpus or ()),
        history_days=history_days,
        opening=opening,
        has_limits=limits,
        has_full_redisq=full_redisq,
        faults=parse_faults(fault or []),
    )
    asyncio.run(_serve(settings, options, settings.sim_port if port is None else port, rate))


async def _serve(settings: Settings, options: Options, port: int, rate: float) -> None:
    from killreport.cli.signals import stop_on_signals
    from killreport.eve.load import read_packaged_universe
    from killreport.fleet.notify import notify_ready, notify_stopping
    from killreport.sim.server import serve

    with stop_on_signals(notify_stopping) as stop:
        universe = read_packaged_universe()
        running = serve(settings.home, universe, options, host=settings.host, port=port, mails_per_minute=rate)
        async with running as (url, simulator):
            source = "replayed" if options.corpus else "made-up"
            head = simulator.publisher.head
            typer.echo(f"Simulator at {url}: {rate:g} {source} killmails a minute, the newest is number {head}.")
            notify_ready()
            await stop.wait()
