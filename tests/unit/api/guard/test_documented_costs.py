"""The page about limits, against the schema."""

from __future__ import annotations

import re
from pathlib import Path

from graphql import GraphQLObjectType

from killreport.api.guard.annotations import annotation
from killreport.api.schema import build_schema

PAGE = Path(__file__).parents[4] / "docs" / "howto" / "api-limits.md"
SCHEMA = build_schema()


def told(directive: str) -> dict[str, str]:
    """Return the arguments of a directive as the page writes them, by type and field."""
    found = {}
    for name, kind in SCHEMA.type_map.items():
        if isinstance(kind, GraphQLObjectType):
            for field_name, field in kind.fields.items():
                arguments = annotation(field.ast_node, directive)
                if arguments:
                    found[f"{name}.{field_name}"] = ", ".join(str(value) for value in arguments.values())
    return found


def test_the_page_names_every_cost_and_size_that_the_schema_does() -> None:
    rows = re.findall(r"^\| `(\w+\.\w+)` \| (.*?) \| (.*?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    weights, sizes = told("cost"), told("listSize")
    expected = {(name, weights.get(name, "1"), sizes.get(name, "")) for name in {**weights, **sizes}}
    assert {(name, weight, size.strip("` ")) for name, weight, size in rows} == expected
