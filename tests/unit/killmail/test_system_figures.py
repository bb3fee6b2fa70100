"""What is packed of a system and day is read back, and everybody's figures are added up."""

from __future__ import annotations

from collections import defaultdict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from killreport.entity.kind import EntityKind
from killreport.killmail.postings.codes import code_of
from killreport.killmail.stored.system_figures import SYSTEM_KINDS, Sums, add_to, join, pack, people_in, split

MOST = 2**63 - 1
FIGURES = st.tuples(*[st.one_of(st.integers(0, 3), st.integers(0, MOST))] * 6)
CODES = st.builds(code_of, st.sampled_from(SYSTEM_KINDS), st.integers(1, 2**63 - 1))


@given(FIGURES)
def test_figures_come_apart_as_they_were_joined(figures: tuple[int, ...]) -> None:
    assert split(join(figures)) == figures
    assert split(join([2 * figure for figure in figures]) + join([-figure for figure in figures])) == figures


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("value", [-1, -MOST, MOST + 1])
def test_what_is_below_zero_or_too_much_is_refused(place: int, value: int) -> None:
    figures = [1] * 6
    figures[place] = value
    with pytest.raises(OverflowError):
        split(join(figures))


@given(st.dictionaries(CODES, FIGURES))
def test_a_row_has_everybody_who_did_something(everybody: dict[int, tuple[int, ...]]) -> None:
    sums = {code: join(figures) for code, figures in everybody.items()}
    row = pack(sums)
    found = {
        code_of(kind, id_): split(joined) for kind, people in (people_in(row) if row else ()) for id_, joined in people
    }
    assert found == {code: figures for code, figures in everybody.items() if any(figures)}
    assert (row == b"") == (not found)


def test_everybody_of_a_fight_has_the_figures_of_it_once() -> None:
    sums = {
        code_of(EntityKind.CHARACTER, 2_000_000_000 + number): join((1, 0, 0, 9, 10**12, 0)) for number in range(1000)
    }
    assert len(pack(sums)) < 5 * len(sums) + 40


def test_days_are_added_up_for_the_kinds_that_are_asked_for() -> None:
    pilot, hull = code_of(EntityKind.CHARACTER, 95), code_of(EntityKind.SHIP_TYPE, 587)
    days = [{pilot: join((1, 0, 1, 5, 100, 0))}, {pilot: join((2, 1, 0, 7, 50, 30)), hull: join((2, 1, 0, 7, 50, 30))}]
    of_pilots: Sums = defaultdict(int)
    add_to({EntityKind.CHARACTER: of_pilots}, map(pack, days))
    assert {id_: split(joined) for id_, joined in of_pilots.items()} == {95: (3, 1, 1, 12, 150, 30)}


def test_a_row_of_a_later_release_is_refused() -> None:
    with pytest.raises(ValueError, match="version 2"):
        list(people_in(msgspec.msgpack.encode([2, 0, 0, 0, 0, 0])))
