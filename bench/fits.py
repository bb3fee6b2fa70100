"""Do the written fittings say what the killmail says? Every real mail's EFT text and DNA, read back and compared.

    python -m bench.fits [DATA]

DATA is the folder of real EVE data, default `../shared/data`. The text is read by the rules of pyfa's importer
(`bench.eft_reader`); what should come out is worked out from the mail's own items. Every difference is listed under its
cause; what has none is a fault of ours.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.agreement import DEFAULT_DATA
from bench.eft_reader import CHARGE, DRONE, FIGHTER, SHIP, SLOTS, STRUCTURE, NotRead, Reader, ReadFit, can_be_read
from bench.universe import seed_universe
from killreport.eve.flags import FIRST_FLAGS, Bay, bay_of
from killreport.eve.universe import Universe
from killreport.killmail.mail.archive import read_records
from killreport.killmail.mail.arrival import read_arrival
from killreport.killmail.mail.items import flatten_items
from killreport.killmail.mail.model import Item, Killmail
from killreport.killmail.shown.dna import dna_text
from killreport.killmail.shown.eft import eft_text
from killreport.killmail.shown.fitting import lay_out
from killreport.killmail.stored.queries import ItemRow

NO_HULL = "the victim is no ship and no structure that a fitting tool knows"
HULL_NAME = "the hull's name has a letter that pyfa takes in no hull's name"
UNPUBLISHED = "the type is not published: pyfa takes its line for an empty slot"
ITEM_NAME = "the name has a comma, slash or bracket, which pyfa takes in no name"
MISPLACED = "a module in a rack that its type does not fit into: it is listed as cargo"
NO_SLOT = "more modules than the hull has slots today: the last are left out, or are listed as cargo"
ONLY_DRONES = "the cargo holds drones or fighters alone: the format has no other word for the bay"
NAMESAKE = "two types have the same name: pyfa takes the one for the other"
UNEXPLAINED = "not explained"


@dataclass(frozen=True, slots=True)
class Difference:
    """What came out otherwise. subject: the rack or bay. wanted and found: how many of the type."""

    killmail_id: int
    subject: str
    type_id: int
    wanted: int
    found: int
    cause: str


@dataclass(slots=True)
class Wanted:
    """What the mail says, by type id. loaded: how often a module has a charge in it. places: of a rack, from 0."""

    racks: dict[Bay, Counter[int]] = field(default_factory=lambda: {Bay(slot): Counter() for slot in SLOTS})
    loaded: Counter[tuple[int, int]] = field(default_factory=Counter)
    places: dict[tuple[Bay, int], int] = field(default_factory=dict)
    drones: Counter[int] = field(default_factory=Counter)
    fighters: Counter[int] = field(default_factory=Counter)
    implants: Counter[int] = field(default_factory=Counter)
    cargo: Counter[int] = field(default_factory=Counter)
    charges: Counter[int] = field(default_factory=Counter)


def read_mails(data: Path, *, with_days: bool = True) -> Iterator[Killmail]:
    """Yield every real killmail of the data once. with_days: the archives of whole days, too, not only the odd ones."""
    seen: set[int] = set()
    archives = sorted((data / "killmails" / "everef").glob("*.tar.bz2")) if with_days else []
    for path in (*archives, data / "killmails" / "odd_shared.jsonl.zst"):
        with path.open("rb") as stream:
            for record in read_records(stream, path.name):
                mail = read_arrival(record.body, "bench", record.reference).mail
                if mail.killmail_id not in seen:
                    seen.add(mail.killmail_id)
                    yield mail


def wanted_of(mail: Killmail, universe: Universe) -> Wanted:
    """Return what a fitting of the mail must say."""
    wanted = Wanted()
    by_flag: dict[int, list[Item]] = defaultdict(list)
    for item in mail.victim.items or ():
        by_flag[item.flag].append(item)
        _want_inner(item, wanted, universe)
    for flag, items in by_flag.items():
        bay = bay_of(flag)
        if bay in wanted.racks:
            _want_slot(flag, bay, items, wanted, universe)
            continue
        for item in items:
            _counter_of(bay, universe.category_id_of(item.item_type_id), wanted)[item.item_type_id] += quantity(item)
            _want_charge(item, wanted, universe)
    return wanted


def _want_slot(flag: int, bay: Bay, items: Sequence[Item], wanted: Wanted, universe: Universe) -> None:
    charges = [item for item in items if universe.category_id_of(item.item_type_id) == CHARGE]
    modules = [item for item in items if universe.category_id_of(item.item_type_id) != CHARGE]
    for module in modules:
        wanted.racks[bay][module.item_type_id] += quantity(module)
    for charge in charges:
        _want_charge(charge, wanted, universe)
        if not modules or charge.item_type_id != charges[0].item_type_id:
            wanted.cargo[charge.item_type_id] += quantity(charge)
    if modules and charges:
        wanted.loaded[modules[0].item_type_id, charges[0].item_type_id] += 1
    if modules:
        wanted.places[bay, flag - FIRST_FLAGS[bay]] = modules[0].item_type_id


def _counter_of(bay: Bay, category: int | None, wanted: Wanted) -> Counter[int]:
    match bay:
        case Bay.DRONE_BAY | Bay.FIGHTER_BAY | Bay.FIGHTER_TUBE:
            return wanted.fighters if category == FIGHTER else wanted.drones if category == DRONE else wanted.cargo
        case Bay.IMPLANT | Bay.BOOSTER:
            return wanted.implants
        case _:
            return wanted.cargo


def _want_inner(item: Item, wanted: Wanted, universe: Universe) -> None:
    for inner in item.items or ():
        wanted.cargo[inner.item_type_id] += quantity(inner)
        _want_charge(inner, wanted, universe)
        _want_inner(inner, wanted, universe)


def _want_charge(item: Item, wanted: Wanted, universe: Universe) -> None:
    if universe.category_id_of(item.item_type_id) == CHARGE:
        wanted.charges[item.item_type_id] += quantity(item)


def quantity(item: Item) -> int:
    """Return how many there were."""
    return (item.quantity_dropped or 0) + (item.quantity_destroyed or 0)


def rows_of(mail: Killmail) -> list[ItemRow]:
    """Return the items as they would be stored, without prices."""
    empty: dict[str, Any] = dict.fromkeys(ItemRow.__struct_fields__, 0)
    return [
        ItemRow(
            **empty
            | {"killmail_id": mail.killmail_id, "ordinal": flat.ordinal, "parent_ordinal": flat.parent_ordinal}
            | {"flag": flat.item.flag, "type_id": flat.item.item_type_id, "singleton": flat.item.singleton or 0}
            | {"quantity_dropped": flat.item.quantity_dropped or 0}
            | {"quantity_destroyed": flat.item.quantity_destroyed or 0}
        )
        for flat in flatten_items(mail)
    ]


def compare(mail: Killmail, universe: Universe, reader: Reader) -> list[Difference]:
    """Return what is otherwise in the mail's EFT text and DNA, read back, than in the mail."""
    fitting = lay_out(mail.victim.ship_type_id, rows_of(mail), universe)
    wanted = wanted_of(mail, universe)
    found = _compare_dna(mail, dna_text(fitting, universe), wanted, universe)
    try:
        fit = reader.read(eft_text(fitting, universe, f"Killmail {mail.killmail_id}"))
    except NotRead:
        hull = universe.types.get(mail.victim.ship_type_id)
        is_hull = hull is not None and hull.is_published and hull.category_id in (SHIP, STRUCTURE)
        cause = HULL_NAME if is_hull else NO_HULL
        return [*found, Difference(mail.killmail_id, "hull", mail.victim.ship_type_id, 1, 0, cause)]
    return [*found, *_compare_fit(mail.killmail_id, fit, wanted, universe)]


def _compare_fit(killmail_id: int, fit: ReadFit, wanted: Wanted, universe: Universe) -> Iterator[Difference]:
    racks = {Bay(slot): Counter(entry[0] for entry in rack if entry) for slot, rack in fit.racks.items()}
    pairs = {
        **{bay.value: (counts, racks[bay]) for bay, counts in wanted.racks.items()},
        "drones": (wanted.drones, fit.drones),
        "fighters": (wanted.fighters, _total(fit.squadrons)),
        "implants": (wanted.implants, fit.implants),
        "cargo": (wanted.cargo, fit.cargo),
    }
    for subject, (want, have) in pairs.items():
        for type_id in want.keys() | have.keys():
            if want[type_id] != have[type_id]:
                cause = _cause(subject, type_id, fit, wanted, universe)
                yield Difference(killmail_id, subject, type_id, want[type_id], have[type_id], cause)
    yield from _compare_loaded(killmail_id, fit, wanted, universe)
    for (bay, place), type_id in wanted.places.items():
        rack = next(rack for slot, rack in fit.racks.items() if slot == bay.value)
        entry = rack[place] if place < len(rack) else None
        if entry is None or entry[0] != type_id:
            cause = _cause(bay.value, type_id, fit, wanted, universe)
            yield Difference(killmail_id, f"place in {bay.value}", type_id, place, -1, cause)
    for type_id, number in fit.squadrons:
        if number > (universe.types[type_id].squadron_size or 0):
            yield Difference(killmail_id, "squadron", type_id, 0, number, UNEXPLAINED)


def _compare_loaded(killmail_id: int, fit: ReadFit, wanted: Wanted, universe: Universe) -> Iterator[Difference]:
    loaded = Counter((entry[0], entry[1]) for rack in fit.racks.values() for entry in rack if entry and entry[1])
    for pair in wanted.loaded.keys() | loaded.keys():
        if wanted.loaded[pair] != loaded[pair]:
            causes = [_cause("loaded", type_id, fit, wanted, universe) for type_id in pair if type_id]
            cause = next((cause for cause in causes if cause != UNEXPLAINED), UNEXPLAINED)
            yield Difference(killmail_id, "loaded", pair[1] or 0, wanted.loaded[pair], loaded[pair], cause)


def _compare_dna(mail: Killmail, text: str, wanted: Wanted, universe: Universe) -> list[Difference]:
    hull, *parts = text.removesuffix("::").split(":")
    counted = _total([(int(type_id), int(number)) for type_id, number in (part.split(";") for part in parts)])
    want: Counter[int] = Counter()
    for bay, modules in wanted.racks.items():
        want += Counter({type_id: n for type_id, n in modules.items() if _fits(type_id, bay, universe)})
    want = want + wanted.drones + wanted.fighters + wanted.charges
    wrong = [type_id for type_id in want.keys() | counted.keys() if want[type_id] != counted[type_id]]
    found = [Difference(mail.killmail_id, "DNA", one, want[one], counted[one], UNEXPLAINED) for one in wrong]
    if int(hull) != mail.victim.ship_type_id or not text.endswith("::"):
        found.append(Difference(mail.killmail_id, "DNA", mail.victim.ship_type_id, 1, 0, UNEXPLAINED))
    return found


def _total(pairs: Sequence[tuple[int, int]]) -> Counter[int]:
    total: Counter[int] = Counter()
    for type_id, number in pairs:
        total[type_id] += number
    return total


def _fits(type_id: int, bay: Bay, universe: Universe) -> bool:
    known = universe.types.get(type_id)
    return known is None or known.slot == bay.value


def _is_readable(type_id: int, universe: Universe) -> bool:
    known = universe.types.get(type_id)
    return known is not None and known.is_published and can_be_read(known.name)


def _cause(subject: str, type_id: int, fit: ReadFit, wanted: Wanted, universe: Universe) -> str:
    """Return why the type is elsewhere, or in another number, than it should be."""
    known = universe.types.get(type_id)
    if known is None or not known.is_published:
        return UNPUBLISHED
    is_misplaced = any(type_id in types and not _fits(type_id, bay, universe) for bay, types in wanted.racks.items())
    kinds = {universe.category_id_of(one) for one in wanted.cargo if _is_readable(one, universe)}
    causes = {
        ITEM_NAME: not can_be_read(known.name),
        MISPLACED: is_misplaced,
        NO_SLOT: type_id in fit.left_out,
        NAMESAKE: sum(kind.name == known.name for kind in universe.types.values()) > 1,
        ONLY_DRONES: subject in ("cargo", "drones", "fighters") and kinds in ({DRONE}, {FIGHTER}),
    }
    return next((cause for cause, holds in causes.items() if holds), UNEXPLAINED)


def main(data: Path) -> int:
    """Print how many mails come back whole, and every difference by its cause; return how many have none."""
    universe = seed_universe()
    reader = Reader(universe)
    began = time.monotonic()
    mails = carrying = 0
    by_cause: dict[str, list[Difference]] = defaultdict(list)
    for mail in read_mails(data):
        mails += 1
        carrying += bool(mail.victim.items)
        for difference in compare(mail, universe, reader):
            by_cause[difference.cause].append(difference)
    differing = {one.killmail_id for differences in by_cause.values() for one in differences}
    print(f"{mails:,} killmails, {carrying:,} with items, in {time.monotonic() - began:.0f} s")
    print(f"{mails - len(differing):,} come back without a difference, {len(differing):,} with one:")
    for cause, differences in sorted(by_cause.items(), key=lambda item: -len(item[1])):
        of_mails = {one.killmail_id for one in differences}
        print(f"\n{cause}: {len(of_mails):,} killmails, {len(differences):,} differences")
        for one in differences[:10]:
            name = universe.type_name(one.type_id) or f"Type {one.type_id}"
            print(f"  {one.killmail_id} {one.subject}: {name}: {one.wanted} wanted, {one.found} found")
    return len(by_cause[UNEXPLAINED])


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_DATA
    if not folder.is_dir():
        sys.exit(f"Skipped: the real EVE data is not at {folder}.")
    sys.exit(1 if main(folder) else 0)
