"""Limits on queries."""

from __future__ import annotations

import pytest
from graphql import GraphQLError, get_introspection_query, parse, validate

from killreport.api.door.limits import Limits, SizeLimit, read_document
from killreport.api.schema import build_schema

SCHEMA = build_schema()


def problems(query: str) -> list[str]:
    """Return what the size limits say of the query."""
    return [error.message for error in validate(SCHEMA, parse(query), [SizeLimit])]


def test_what_programs_ask_of_a_schema_is_within_the_limits() -> None:
    assert problems(get_introspection_query(specified_by_url=True, input_value_deprecation=True)) == []


def test_depth_is_counted_through_fragments() -> None:
    inner = "type { id }"
    for _ in range(16):
        inner = f"items {{ {inner} }}"
    query = f"query {{ killmail(id: 1) {{ ...F }} }} fragment F on Killmail {{ {inner} }}"
    assert problems(query) == [
        "A query may have 18 levels; this one has 19. Ask for what lies deeper by its id, in a second query."
    ]


def test_fragments_that_multiply_are_counted_and_refused_quickly() -> None:
    doubling = " ".join(
        f"fragment F{number} on Killmail {{ ...F{number + 1} ...F{number + 1} }}" for number in range(50)
    )
    query = f"{{ killmail(id: 1) {{ ...F0 }} }} {doubling} fragment F50 on Killmail {{ id }}"
    assert problems(query) == [
        f"A query may have 1000 fields in all; this one has {2**50 + 1}. Ask for fewer, or in several queries."
    ]


def test_a_fragment_inside_itself_is_no_endless_loop() -> None:
    query = "{ killmail(id: 1) { ...F } } fragment F on Killmail { id victim { damageTaken } ...F }"
    assert problems(query) == []


def test_root_fields_are_counted_through_fragments() -> None:
    roots = " ".join(f"r{number}: status {{ killmailCount }}" for number in range(6))
    query = f"{{ ...R ... on Query {{ {roots} }} }} fragment R on Query {{ {roots} }}"
    assert problems(query) == [
        "A query may have 10 fields at its root; this one has 12. Spread them over several queries."
    ]


def test_a_long_text_is_refused_before_it_is_read() -> None:
    with pytest.raises(GraphQLError, match="A query may have 20000 characters; this one has 20001"):
        Limits().weigh("{" * 20_001)


def test_nesting_that_no_parser_stands_is_refused_in_a_sentence() -> None:
    with pytest.raises(GraphQLError, match="nested too deeply"):
        read_document("{a" * 2_400)


def test_more_names_and_signs_than_anybody_needs_are_refused_before_they_are_read() -> None:
    with pytest.raises(GraphQLError, match=r"A query may have 2000 names, numbers and signs; this one has 6002"):
        Limits().weigh("{" + "a " * 6_000 + "}")


def test_more_directives_than_anybody_needs_are_refused_before_they_are_read() -> None:
    text = "{ killmail(id: 1) " + "@skip(if: false) " * 51 + "{ id } }"
    with pytest.raises(GraphQLError, match="A query may have 50 directives; this one has 51"):
        Limits().weigh(text)
    assert Limits().weigh(text.replace("@skip(if: false) ", "", 1)).directives == 50


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{ killmail(id: 1) { id } }", "query A { killmail(id: 1) { id } } query B { killmail(id: 1) { hash } }"),
        ("{ killmail(id: 1) { id } }", "{ killmail(id: 1) { id } } fragment F on Killmail { id hash }"),
    ],
)
def test_every_operation_and_every_fragment_counts(one: str, other: str) -> None:
    class Few(SizeLimit):
        limits = Limits(fields=3)

    assert validate(SCHEMA, parse(one), [Few]) == []
    assert [error.message for error in validate(SCHEMA, parse(other), [Few])] == [
        "A query may have 3 fields in all; this one has 4. Ask for fewer, or in several queries."
    ]


def test_fragments_of_one_name_all_count() -> None:
    fields = " ".join(["id"] * 600)
    twice = f"fragment F on Killmail {{ {fields} }} " * 2
    assert problems(f"{{ killmail(id: 1) {{ ...F }} }} {twice}") == [
        "A query may have 1000 fields in all; this one has 1201. Ask for fewer, or in several queries."
    ]


def test_more_fragments_than_anybody_needs_are_refused() -> None:
    fragments = " ".join(f"fragment F{number} on Killmail {{ id }}" for number in range(61))
    query = f"{{ killmail(id: 1) {{ {' '.join(f'...F{number}' for number in range(61))} }} }} {fragments}"
    assert problems(query) == ["A query may have 60 fragments; this one has 61. Write short ones out."]
