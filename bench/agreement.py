"""How far our flags, labels and points agree with zKillboard's, on real killmails that carry its `zkb` block.

    python -m bench.agreement [DATA]

DATA is the folder of real EVE data, default `../shared/data`. Every disagreement is listed under its cause.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import zstandard

from bench.universe import seed_prices, seed_universe
from killreport.eve.universe import Universe
from killreport.killmail.mail.decode import decode_killmail, unwrap
from killreport.killmail.mail.model import Item, Killmail
from killreport.killmail.mail.zkb import ZkbBlock
from killreport.killmail.rules.classify import Classification, classify
from killreport.killmail.rules.points import points
from killreport.killmail.rules.value import value_killmail

DEFAULT_DATA = Path(__file__).parent.parent.parent / "shared" / "data"

INVENTED = "the block was invented for a test: zKillboard has no label `loss`"
STRIPPED = "the source left the items out; with a fit of some danger our formula gives the same points"
STRUCTURE = "a player's structure killed alone: an NPC kill worth nothing for zKillboard of 2018, not for that of today"
OLDER_CROWD = (
    "zKillboard of 2018 to 2023 counted NPCs in the crowd; counted so, with some fit where the source left it out, "
    "we agree"
)
OLDER_SIZE = "zKillboard of July 2024 gave the Naglfar no size; as a hull of class 1 we agree"
NO_LABEL_YET = "the label did not exist yet"
NO_PRICE = "another total value: no market price of the day is known here"
UNEXPLAINED = "not explained"

# Before this day no real block has a `tz:` label, after it every one has.
TIME_ZONES_BY = datetime(2025, 1, 1, tzinfo=UTC)
# Looked into one by one; what the text claims is checked by tests/unit/killmail/test_agreement.py.
LOOKED_INTO = {
    ("npc", 71571785): STRUCTURE,
    ("points", 71571785): STRUCTURE,
    ("points", 119455394): OLDER_SIZE,
}
SOMEBODY = 90_000_001
GREATEST_DANGER = 400
PLAIN_MODULE = 434  # 5MN Microwarpdrive I, overheatable and of meta level 0: danger 1 a piece


@dataclass(frozen=True)
class Sample:
    """A real killmail with zKillboard's block, and what we make of it."""

    mail: Killmail
    zkb: ZkbBlock
    is_stripped: bool
    marks: Classification
    points: int


@dataclass(frozen=True)
class Verdict:
    """One thing compared on one killmail. cause: why the two differ, None where they agree."""

    subject: str
    killmail_id: int
    ours: object
    theirs: object
    cause: str | None


def read_samples(data: Path) -> list[Sample]:
    """Return every killmail of the odd corpus with a zkb block, in the order of the corpus."""
    universe, prices = seed_universe(), seed_prices()
    samples = []
    for line in _lines(data / "killmails" / "odd_shared.jsonl.zst"):
        envelope = unwrap(line)
        if envelope.zkb is None:
            continue
        mail = decode_killmail(envelope.body)
        marks = classify(mail, universe, value_killmail(mail, universe, prices).total)
        is_stripped = "items_stripped_by_source" in msgspec.json.decode(line)["kinds"]
        samples.append(Sample(mail, envelope.zkb, is_stripped, marks, points(mail, universe, marks.is_npc)))
    return samples


def compare(sample: Sample, universe: Universe) -> Iterator[Verdict]:
    """Yield a verdict for each flag, for the points, and, where the block has labels, for each family of labels."""
    marks, zkb = sample.marks, sample.zkb
    yield _judge(sample, universe, "solo", marks.is_solo, zkb.is_solo)
    yield _judge(sample, universe, "awox", marks.is_awox, zkb.is_awox)
    yield _judge(sample, universe, "npc", marks.is_npc, zkb.is_npc)
    yield _judge(sample, universe, "points", sample.points, zkb.points)
    if zkb.labels:
        ours, theirs = _by_family(marks.labels), _by_family(zkb.labels)
        for family in sorted(ours.keys() | theirs.keys()):
            yield _judge(sample, universe, family, ours.get(family), theirs.get(family))


def _judge(sample: Sample, universe: Universe, subject: str, ours: object, theirs: object) -> Verdict:
    cause = None if ours == theirs else _cause(sample, universe, subject, theirs)
    return Verdict(subject, sample.mail.killmail_id, ours, theirs, cause)


def _cause(sample: Sample, universe: Universe, subject: str, theirs: object) -> str:
    looked_into = LOOKED_INTO.get((subject, sample.mail.killmail_id))
    if looked_into is not None:
        return looked_into
    if "loss" in sample.zkb.labels:
        return INVENTED
    if subject == "points":
        return _cause_of_points(sample, universe)
    if subject == "label tz" and theirs is None and sample.mail.killmail_time < TIME_ZONES_BY:
        return NO_LABEL_YET
    if subject == "label isk" and theirs == _value_label(sample, universe):
        return NO_PRICE
    return UNEXPLAINED


def _cause_of_points(sample: Sample, universe: Universe) -> str:
    theirs = sample.zkb.points
    fits = [with_danger(sample.mail, danger) for danger in range(GREATEST_DANGER)] if sample.is_stripped else []
    if any(points(mail, universe, sample.marks.is_npc) == theirs for mail in fits):
        return STRIPPED
    if any(points(with_npcs_as_players(mail), universe, False) == theirs for mail in fits or [sample.mail]):
        return OLDER_CROWD
    return UNEXPLAINED


def with_danger(mail: Killmail, danger: int) -> Killmail:
    """Return the mail with so many plain combat modules fitted, and nothing else."""
    modules = (Item(PLAIN_MODULE, 11, quantity_destroyed=danger),)
    return msgspec.structs.replace(mail, victim=msgspec.structs.replace(mail.victim, items=modules))


def with_npcs_as_players(mail: Killmail) -> Killmail:
    """Return the mail with a character for every attacker that has none."""
    attackers = tuple(msgspec.structs.replace(a, character_id=a.character_id or SOMEBODY) for a in mail.attackers)
    return msgspec.structs.replace(mail, attackers=attackers)


def _value_label(sample: Sample, universe: Universe) -> str | None:
    total_value_cents = round((sample.zkb.total_value or 0) * 100)
    return _by_family(classify(sample.mail, universe, total_value_cents).labels).get("label isk")


def _by_family(labels: tuple[str, ...]) -> dict[str, str]:
    """Return the labels by what they compete for: `solo` stands in the place of `#:`, `pvp` in that of `npc`."""
    families = {"solo": "label #", "pvp": "label npc", "npc": "label npc"}
    found: dict[str, str] = {}
    for label in labels:
        family = families.get(label, f"label {label.partition(':')[0]}")
        found[family] = " ".join(filter(None, (found.get(family), label)))
    return found


def _lines(path: Path) -> list[bytes]:
    with path.open("rb") as stream:
        return zstandard.ZstdDecompressor().stream_reader(stream).read().splitlines()


def main(data: Path) -> None:
    """Print the table of agreement and every disagreement with its cause."""
    universe = seed_universe()
    samples = read_samples(data)
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    for sample in samples:
        for verdict in compare(sample, universe):
            verdicts[verdict.subject].append(verdict)
    print(f"{len(samples)} killmails with a zkb block, {sum(1 for s in samples if s.zkb.labels)} of them with labels")
    print(f"{'':12} {'compared':>8} {'agree':>6} {'per cent':>9}")
    for subject, listed in verdicts.items():
        agreed = sum(1 for verdict in listed if verdict.cause is None)
        print(f"{subject:12} {len(listed):8} {agreed:6} {100 * agreed / len(listed):9.1f}")
    causes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for listed in verdicts.values():
        for verdict in listed:
            if verdict.cause is not None:
                one = f"{verdict.killmail_id} ({verdict.ours}, zKillboard {verdict.theirs})"
                causes[verdict.subject, verdict.cause].append(one)
    for (subject, cause), mails in causes.items():
        print(f"\n{subject}: {cause}: {len(mails)}\n  " + "\n  ".join(mails))


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_DATA
    if not folder.is_dir():
        sys.exit(f"Skipped: the real EVE data is not at {folder}.")
    main(folder)
