"""What the emitter writes is read back by a YAML parser as what it was given."""

from __future__ import annotations

from typing import cast

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from killreport.fleet.export.yaml import Node, document, documents

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(-1e6, 1e6).map(lambda value: round(value, 3)) | TEXTS
NODES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(NODES)
def test_what_is_written_is_read_back_the_same(node: object) -> None:
    assert yaml.safe_load(document(node)) == node  # type: ignore[arg-type]


@given(st.lists(NODES, min_size=1, max_size=3))
def test_several_documents_stay_apart(nodes: list[object]) -> None:
    assert list(yaml.safe_load_all(documents(nodes))) == nodes  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "Yes",
        "ON",
        "null",
        "~",
        "1",
        "1.5",
        "0x1f",
        "1e3",
        "2026-11-28",
        "12:30:00",
        "",
        " a",
        "a: b",
        "a #b",
        "- a",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a`",
        "'a'",
        '"a"',
        "[a]",
        "{a}",
        "a\nb",
        "\t",
        "\x00",
        "\x85",
        "\ufeff",
        "=",
        "<<",
    ],
)
def test_a_string_that_could_be_something_else_stays_a_string(text: str) -> None:
    node = {text: [text]}
    assert yaml.safe_load(document(cast(Node, node))) == node


def test_lists_of_mappings_are_written_as_people_write_them() -> None:
    node: dict[str, Node] = {"a": [{"b": 1, "c": []}, "d"], "e": {}}
    assert document(node) == "a:\n  - b: 1\n    c: []\n  - d\ne: {}\n"
