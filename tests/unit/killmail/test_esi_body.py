"""Numbers as ESI wrote them, out of a 4-byte column."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from killreport.killmail.shown.esi_body import shortest_real


@given(st.decimals(min_value=-10, max_value=10, places=5))
def test_a_security_status_comes_back_as_it_was_written(written: object) -> None:
    value = float(str(written))
    (stored,) = struct.unpack("f", struct.pack("f", value))

    assert shortest_real(stored) == value


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_what_is_shown_is_stored_as_the_same_number(stored: float) -> None:
    assert struct.pack("f", shortest_real(stored)) == struct.pack("f", stored)
