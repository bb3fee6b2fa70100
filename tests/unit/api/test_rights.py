"""Rights are named in the schema and kept in one place."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import build_schema as schema_of
from pydantic import SecretStr
from starlette.requests import HTTPConnection

from killreport.api.door.caller import ANYBODY, OPERATOR, WRONG_TOKEN, Caller, caller_of
from killreport.api.door.rights import keep_rights, right_of
from killreport.api.engine.registry import Resolvers, bind
from killreport.api.schema import build_schema

SDL = "directive @right(is: Right!) on FIELD_DEFINITION enum Right { ANYONE OPERATOR } type Query { read: Int }"
TOKEN = "t" * 24


def bound(sdl: str, *fields: tuple[str, str]) -> Any:
    """Return a schema of SDL and these fields, each resolved to 1."""
    table = Resolvers()
    for type_name, field_name in (("Query", "read"), *fields):
        table.field(type_name, field_name, lambda parents, _info: [1] * len(parents))
    return bind(schema_of(SDL + sdl), table)


def test_every_mutation_of_the_schema_names_its_right() -> None:
    schema = build_schema()
    assert schema.mutation_type is not None
    rights = {name: right_of(field) for name, field in schema.mutation_type.fields.items()}
    assert rights
    assert set(rights.values()) <= {"ANYONE", "OPERATOR"}
    for name, field in schema.mutation_type.fields.items():
        assert str(field.description).endswith(f"Right: `{rights[name]}`.")


def test_a_mutation_without_a_right_stops_the_start() -> None:
    schema = bound("type Mutation { change: Int }", ("Mutation", "change"))
    with pytest.raises(ValueError, match=r"Mutation\.change does not say who may call it"):
        keep_rights(schema)


def test_a_right_on_a_plain_attribute_stops_the_start() -> None:
    schema = bound(
        "type Thing { secret: Int @right(is: OPERATOR) } extend type Query { thing: Thing }", ("Query", "thing")
    )
    with pytest.raises(ValueError, match=r"Thing\.secret cannot be kept"):
        keep_rights(schema)


@pytest.mark.parametrize(
    ("header", "caller"),
    [
        (f"Bearer {TOKEN}", OPERATOR),
        (f"bearer {TOKEN}", OPERATOR),
        (f"Bearer {TOKEN}t", Caller(WRONG_TOKEN)),
        ("Bearer ", Caller(WRONG_TOKEN)),
        ("Bearer \xff", Caller(WRONG_TOKEN)),
        (TOKEN, ANYBODY),
        (f"Basic {TOKEN}", ANYBODY),
    ],
)
def test_only_the_bearer_of_the_token_is_the_operator(header: str, caller: Caller) -> None:
    scope = {"type": "http", "headers": [(b"authorization", header.encode("latin-1"))]}
    assert caller_of(HTTPConnection(scope), SecretStr(TOKEN)) == caller
    assert caller_of(HTTPConnection(scope), None) not in (OPERATOR, ANYBODY)
