"""One running New Eden: everything the routes need, opened from a home folder and closed again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from killreport.clock import utc_now
from killreport.errors import Conflict
from killreport.eve.universe import Universe
from killreport.files import try_lock, write_whole
from killreport.fleet.notify import notify_status
from killreport.home import refuse_anothers_home
from killreport.sim.access.faults import InjectedFaults, Mischief
from killreport.sim.access.tally import RequestTally
from killreport.sim.publishing.appraisal import Appraiser
from killreport.sim.publishing.corpus import Corpus, fingerprint, spool
from killreport.sim.publishing.packages import Packages
from killreport.sim.publishing.publisher import KillmailPublisher
from killreport.sim.world.chance import fraction
from killreport.sim.world.generator import Generator
from killreport.sim.world.journal import FIRST_SEQUENCE, KillJournal
from killreport.sim.world.market import MadeUpMarket
from killreport.sim.world.people import Known, World

_SECONDS_PER_DAY = 86_400
# The first page of a new demo shows what happened in the last hours; a corpus starts at its start.
_OPENING_MAILS = 300
_OPENING_SECONDS = 3 * 3600
# How many mails a day a past day has; real days have 10,000 and more, which would take a minute each to make up.
_HISTORY_MAILS = 200


def now() -> float:
    """Return the present as unix seconds."""
    return utc_now().timestamp()


@dataclass(frozen=True)
class Options:
    """How a simulator is run.

    corpus: files to replay instead of making mails up. history_days: past days filled on the very first start.
    has_full_lists: whether zKillboard's lists hold the killmails, as since 2026-06-27, or ids and hashes only.
    opening: mails of the last hours, published on the very first start; None for 300 without a corpus and 0 with one.
    """

    seed: int = 1
    corpus: tuple[Path, ...] = ()
    history_days: int = 0
    opening: int | None = None
    has_limits: bool = True
    has_full_redisq: bool = False
    has_full_lists: bool = True
    faults: InjectedFaults = field(default_factory=InjectedFaults)


@dataclass
class Simulator:
    """The parts, wired, made by `open_simulator`. build_number: of CCP's static data; None: the packaged one."""

    options: Options
    universe: Universe
    market: MadeUpMarket
    world: World
    generator: Generator
    journal: KillJournal
    packages: Packages
    publisher: KillmailPublisher
    mischief: Mischief
    now: Callable[[], float]
    tally: RequestTally = field(default_factory=RequestTally)
    build_number: int | None = None


class _State(msgspec.Struct):
    """What a home remembers: its seed, and the corpora it has replayed, in the order of their numbers from 1."""

    seed: int
    corpora: list[str] = []


@contextmanager
def open_simulator(
    home: Path, universe: Universe, options: Options, clock: Callable[[], float] = now
) -> Iterator[Simulator]:
    """Open the simulator that lives in `home`/sim, carrying on where it was.

    Raises Conflict where another one has it open, or it was begun with another seed.
    """
    folder = home / "sim"
    refuse_anothers_home(home)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / "lock"):
        state = _read_state(folder / "state.json", options.seed)
        number = _number_of_corpus(options, state)
        write_whole(folder / "state.json", msgspec.json.encode(state), mode=0o644)
        if number:
            spool(list(options.corpus), folder / "corpus" / state.corpora[number - 1], notify_status).close()
        corpora = _open_corpora(folder / "corpus", state)
        journal = KillJournal(folder / "journal.bin")
        try:
            yield _wire(options, universe, journal, corpora, number=number, clock=clock)
        finally:
            journal.close()
            for corpus in corpora.values():
                corpus.close()


def _wire(
    options: Options,
    universe: Universe,
    journal: KillJournal,
    corpora: dict[int, Corpus],
    *,
    number: int,
    clock: Callable[[], float],
) -> Simulator:
    world = World(options.seed, corpora[number].known if number else Known())
    _catch_up(world, journal, corpora)
    generator = Generator(universe, world)
    mischief = Mischief(options.seed, options.faults)
    playing = (number, corpora[number]) if number else None
    publisher = KillmailPublisher(
        generator, journal, mischief, world=world, universe=universe, now=clock, corpus=playing
    )
    market = MadeUpMarket(universe)
    packages = Packages(journal, generator, Appraiser(universe, market), corpora)
    return Simulator(options, universe, market, world, generator, journal, packages, publisher, mischief, clock)


def _catch_up(world: World, journal: KillJournal, corpora: dict[int, Corpus]) -> None:
    """Let the world know of the real mails that were served before this start."""
    for number, corpus in corpora.items():
        for place in range(min(journal.next_place(number), len(corpus))):
            world.note_served(corpus.parties(place), corpus.entry(place).killmail_time)


async def publish_opening(simulator: Simulator) -> None:
    """On the very first start, publish the past: whole days for the history, then the last hours for the feed."""
    publisher, options, present = simulator.publisher, simulator.options, simulator.now()
    if simulator.journal.next_sequence != FIRST_SEQUENCE:
        return
    today = int(present // _SECONDS_PER_DAY)
    if not options.corpus:
        for day in range(today - options.history_days, today):
            for place in range(_HISTORY_MAILS):
                share = (place + fraction(options.seed, day, place)) / _HISTORY_MAILS
                await publisher.publish(1, day * _SECONDS_PER_DAY + int(share * (_SECONDS_PER_DAY - 1)))
    opening = options.opening
    if opening is None:
        opening = 0 if options.corpus else _OPENING_MAILS
    for place in range(opening):
        await publisher.publish(1, int(present - _OPENING_SECONDS * (1 - (place + 1) / opening)))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    held = try_lock(path, mode=0o644)
    if held is None:
        raise Conflict(f"Another simulator is running on {path.parent}; stop it, or use another home.")
    try:
        yield
    finally:
        os.close(held)


def _read_state(path: Path, seed: int) -> _State:
    try:
        state = msgspec.json.decode(path.read_bytes(), type=_State)
    except FileNotFoundError:
        return _State(seed)
    if state.seed != seed:
        raise Conflict(
            f"The simulator in {path.parent} was begun with seed {state.seed}, not {seed}: its past kills would change."
        )
    return state


def _number_of_corpus(options: Options, state: _State) -> int:
    if not options.corpus:
        return 0
    wanted = fingerprint(list(options.corpus))
    if wanted not in state.corpora:
        state.corpora.append(wanted)
    return state.corpora.index(wanted) + 1


def _open_corpora(folder: Path, state: _State) -> dict[int, Corpus]:
    return {
        number: Corpus(folder / name) for number, name in enumerate(state.corpora, start=1) if (folder / name).is_dir()
    }
