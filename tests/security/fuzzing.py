"""What fuzz targets share: hostile documents, hostile bytes, and what must hold for whatever a decoder lets through.

A target looks at KILLREPORT_FUZZ_EXAMPLES inputs, a few by default; by hand: KILLREPORT_FUZZ_EXAMPLES=20000.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("KILLREPORT_FUZZ_EXAMPLES", "60"))
checked = settings(max_examples=EXAMPLES)

# Put into a document in the place of a value, as text: much of it is no JSON, or none that every reader takes.
TOKENS = st.sampled_from(
    [
        *(
            b"9" * 5000,
            b"NaN",
            b"Infinity",
            b"-Infinity",
            b"1e400",
            b"-1e400",
            b"1e308",
            b"-0",
            b"0.0",
            b"1.0",
            b"1e5",
            b"-1",
        ),
        *(b"%d" % number for number in (2**15, 2**31, 2**53, 2**59, 2**63 - 1, 2**63, 2**64, 10**100)),
        *(b"[" * 5000 + b"]" * 5000, b'{"a":' * 2000 + b"1" + b"}" * 2000, b"[" * 100_000),
        *(b'"\\u0000"', b'"\\ud800"', b'"\\udc00\\ud800"', b'"\xff\xfe"', b'"' + b"x" * 200_000 + b'"', b'""', b'"0"'),
        *(b"null", b"true", b"[]", b"{}", b"", b"[null]", b'{"en":null}', b'{"id":-1}'),
        *(b'"0001-01-01T00:00:00+23:59"', b'"9999-12-31T23:59:59-23:59"', b'"10000-01-01T00:00:00Z"', b'"2026-02-30"'),
    ]
)
_SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8)
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
_MARK = "\ue000"


def _paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner: Mapping[Any, object] = {}
    if isinstance(value, dict):
        inner = value
    elif isinstance(value, list):
        inner = dict(enumerate(value))
    return [path, *(found for key, other in inner.items() for found in _paths(other, (*path, key)))]


@st.composite
def hostile_documents(draw: st.DrawFn, *documents: Any) -> bytes:
    """One of the documents with a few of its values, or all of it, replaced, dropped or given twice."""
    document = json.loads(json.dumps(draw(st.sampled_from(documents))))
    tokens: list[bytes] = []
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(_paths(document)))
        if draw(st.booleans()):
            new: Any = f"{_MARK}{len(tokens)}{_MARK}"
            tokens.append(draw(TOKENS))
        else:
            new = draw(_JSON)
        if not path:
            document = new
            continue
        holder = document
        for step in path[:-1]:
            holder = holder[step]
        if isinstance(path[-1], str) and draw(st.integers(0, 4)) == 0:
            del holder[path[-1]]
        else:
            holder[path[-1]] = new
    raw = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    for number, token in enumerate(tokens):
        raw = raw.replace(f'"{_MARK}{number}{_MARK}"'.encode(), token)
    if draw(st.integers(0, 9)) == 0 and raw.startswith(b"{") and len(raw) > 2:
        raw = raw[:-1] + b"," + raw[1:]  # every key twice
    return raw


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Bytes with a few of them changed, left out or put in, cut short, or given twice."""
    raw = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(raw) - 1, 0)))
        match draw(st.integers(0, 4)):
            case 0:
                raw[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
            case 1:
                del raw[place : place + draw(st.integers(1, 600))]
            case 2:
                raw[place:place] = draw(st.binary(max_size=20) | st.just(b"\0" * 512))
            case 3:
                del raw[place:]
            case _:
                raw += raw[place:]
    return bytes(raw)


def assert_storable(value: object) -> None:
    """Fail for anything that no column of the database could hold."""
    match value:
        case None | bool() | bytes() | msgspec.Raw():
            return
        case int():
            assert -(2**63) <= value < 2**63
        case float():
            assert math.isfinite(value)
        case str():
            assert "\0" not in value
            value.encode()
        case datetime():
            value.astimezone(UTC)
        case date():
            return
        case msgspec.Struct():
            assert_storable([getattr(value, name) for name in value.__struct_fields__])
        case _ if dataclasses.is_dataclass(value):
            assert_storable([getattr(value, field.name) for field in dataclasses.fields(value)])
        case dict():
            assert_storable([*value, *value.values()])
        case list() | tuple() | set():
            for inner in value:
                assert_storable(inner)
        case _:
            raise AssertionError(f"what is a {type(value)}?")
