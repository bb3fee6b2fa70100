"""`python -m bench`: the short form of every measurement, one after the other.

Uses the real killmails of the test data where they are present, else made-up ones.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

import msgspec

from bench import (
    agreement,
    esi,
    feed,
    fleet,
    graphql_engine,
    hostile,
    importing,
    jobs,
    outage,
    queueing,
    subscribers,
    workers,
)
from killreport.eve.load import read_packaged_universe
from killreport.sim.world.generator import Generator
from killreport.sim.world.people import World

MADE_UP = 5000


def main() -> None:
    """Run everything with few rounds and print it."""
    data = agreement.DEFAULT_DATA
    with tempfile.TemporaryDirectory(prefix="killreport-bench-") as folder:
        files = sorted((data / "killmails" / "everef").glob("*.tar.bz2")) or [_make_up(Path(folder))]
        print("Import, against a raw COPY of the same rows:", flush=True)
        print(json.dumps(asyncio.run(importing.measure(files, 2, 2)), indent=1))
    print("\nFrom the feed to the API:", flush=True)
    print(json.dumps(asyncio.run(feed.measure(1000, 0.02)), indent=1))
    print("\nThe GraphQL engine:", flush=True)
    print(json.dumps(graphql_engine.measure(100), indent=1))
    print("\nLive subscribers:", flush=True)
    print(json.dumps(asyncio.run(subscribers.measure(200, 200)), indent=1))
    print("\nQueues:", flush=True)
    print(json.dumps(asyncio.run(queueing.measure_all(10_000)), indent=1))
    print("\nWorkers:", flush=True)
    print(json.dumps(asyncio.run(workers.measure_all()), indent=1))
    print("\nThe fleet, beside PM2:", flush=True)
    print(json.dumps(asyncio.run(fleet.measure_all(1)), indent=1))
    print("\nThe budget for ESI:", flush=True)
    print(json.dumps(asyncio.run(esi.measure_all(10)), indent=1))
    print("\nAn outage of ESI:", flush=True)
    print(json.dumps(asyncio.run(outage.measure_all(30)), indent=1))
    print("\nThe API under attack:", flush=True)
    print(json.dumps(asyncio.run(hostile.measure_all(1, 200)), indent=1))
    print("\nJobs:", flush=True)
    print(json.dumps(asyncio.run(jobs.measure_all(10_000)), indent=1))
    if data.is_dir():
        print("\nAgreement with zKillboard:", flush=True)
        agreement.main(data)


def _make_up(folder: Path) -> Path:
    universe = read_packaged_universe()
    generator = Generator(universe, World(1))
    path = folder / "made-up.jsonl"
    now = int(time.time())
    with path.open("wb") as target:
        for sequence in range(MADE_UP):
            target.write(msgspec.json.encode(generator.generate(sequence, now - MADE_UP + sequence)) + b"\n")
    return path


if __name__ == "__main__":
    main()
