"""Whatever bytes come in: a killmail within its bounds, or Malformed."""

from __future__ import annotations

import os
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from killreport.errors import Malformed
from killreport.killmail.mail.decode import decode_killmail, unwrap
from killreport.killmail.mail.hash import killmail_hash
from killreport.killmail.mail.items import flatten_items
from killreport.killmail.mail.model import Killmail
from tests.unit.killmail.bodies import encode, make_body
from tests.unit.killmail.test_legacy import CREST, XML

CHECKED = settings(max_examples=int(os.environ.get("KILLREPORT_TEST_DECODES", "100")))
STRICT = msgspec.json.Decoder(Killmail)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from([0, 0.0, 1.0, "1", "0", "", "2021-12-02T18:30:00Z", "2021.12.02 18:30:00", 2**31, 2**63])
    | st.text(max_size=8)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def paths_of(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += paths_of(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += paths_of(inner, (*path, index))
    return found


@st.composite
def mutated_bodies(draw: st.DrawFn) -> bytes:
    body: Any = msgspec.json.decode(encode(draw(st.sampled_from([make_body(), CREST, XML]))))
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(paths_of(body)))
        holder = body
        for step in path[:-1]:
            holder = holder[step]
        if isinstance(path[-1], str) and draw(st.booleans()):
            del holder[path[-1]]
        else:
            holder[path[-1]] = draw(JSON)
        if not body:
            break
    return encode(body)


def check(raw: bytes) -> None:
    refused: Malformed | None = None
    try:
        mail = decode_killmail(unwrap(raw).body)
    except Malformed as error:
        refused = error
    if refused is not None:
        assert refused.path.startswith("$")
        assert refused.reason
        return
    # Within its bounds: what we write of it is what the strict decoder reads.
    assert STRICT.decode(msgspec.json.encode(mail)) == mail
    assert sum(attacker.final_blow for attacker in mail.attackers) == 1
    assert len(killmail_hash(mail)) == 20
    assert all(row.ordinal == place for place, row in enumerate(flatten_items(mail)))


@CHECKED
@given(mutated_bodies())
def test_changed_killmails_are_read_or_refused(raw: bytes) -> None:
    check(raw)


@CHECKED
@given(mutated_bodies(), st.data())
def test_damaged_bytes_are_read_or_refused(raw: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 20)))
    check(raw[:start] + data.draw(st.binary(max_size=8)) + raw[end:])


@CHECKED
@given(st.binary(max_size=200) | JSON.map(encode))
def test_anything_else_is_refused(raw: bytes) -> None:
    check(raw)
