"""A walk through every argument of the schema, as variable and as literal; a new one is walked without being named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLSchema

from killreport.api.app import create_app
from killreport.api.schema import build_schema
from killreport.config import Settings
from killreport.db.database import Database
from tests.security.hostile import DIGITS, SHARP, VALUES
from tests.security.schema_walk import Place, places
from tests.security.walking import Answer, Step, batched, plain, walk

TOKEN = "an-operator-of-the-walk-1234"
LITERALS = (
    *("null", "true", "[]", "{}", "[[]]", "[null]", "UNKNOWN", "0", "-1", "1.5", "2147483648", "9007199254740993"),
    *("9223372036854775808", DIGITS, f"-{DIGITS}", f"[{DIGITS}]", f"1.{DIGITS}", f"1e{DIGITS}", "1e400", '"\\u0000"'),
    *('"\\u{D800}"', '"\\uD800"', '"a\\u0000b"', '"9999-12-31"', '"0001-01-01"', f'"{"x" * 900}"', '["\\u0000"]'),
)


def step(*operations: dict[str, Any], accept: str = "application/json") -> Step:
    """Return a request of several operations, or of one."""
    body = json.dumps(list(operations) if len(operations) > 1 else operations[0]).encode()
    headers = (("content-type", "application/json"), ("accept", accept), ("authorization", f"Bearer {TOKEN}"))
    return Step("/graphql", headers, "POST", body)


def asked(place: Place) -> Iterator[dict[str, Any]]:
    """Yield the operations that try one place; the same scalars lie below the root, so that a few do there."""
    for value in VALUES if place.is_root else SHARP:
        yield {"query": place.document("$v", f"($v: {place.kind})"), "variables": {"v": value}}
    yield from ({"query": place.document(literal)} for literal in (LITERALS if place.is_root else LITERALS[-8:]))


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    """Return the schema."""
    return build_schema()


async def test_every_argument_of_the_schema_takes_anything(
    schema: GraphQLSchema, settings: Settings, database: Database, kills: None
) -> None:
    found = [place for place in places(schema) if place.operation != "subscription"]
    names = {place.name for place in found}
    assert len(found) > 150
    assert {"Query.killmail(id)", "Query.killmails(filter.victimCharacter)", "Character.killmails(after)"} <= names
    app = create_app(settings.replace(operator_token=TOKEN), database)
    async with app.router.lifespan_context(app):
        steps = [step(*some) for place in found for some in batched(asked(place), 10)]
        answers = await walk(app, steps)
    for _, answer in answers:
        assert answer.status in (200, 400), answer


async def test_every_argument_of_a_subscription_takes_anything(
    schema: GraphQLSchema, settings: Settings, database: Database
) -> None:
    found = [place for place in places(schema) if place.operation == "subscription"]
    app = create_app(settings, database)
    async with app.router.lifespan_context(app):
        await walk(app, [step(one, accept="text/event-stream") for place in found for one in asked(place)], 0.2)


ODD_BODIES: tuple[bytes, ...] = (
    *(
        b"",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b'{"query":"{__typename}"}\0',
        '{"query":"{__typename}"}'.encode("utf-16"),
    ),
    *(b"[" * 50_000, b'{"query":' * 5_000, b"NaN", b'{"query":"{__typename}","variables":{"a":NaN}}'),
    *(b'{"query":"{__typename}","variables":{"a":-Infinity}}', b'{"query":"{__typename}","variables":{"a":1e400}}'),
    b'{"query":"{__typename}","variables":{"a":' + DIGITS.encode() + b"}}",
    *(b'{"query":"{__typename}","operationName":"\\ud800"}', b'{"query":"{__typename} #\\ud800"}'),
    *(b'{"query":"\\ud800"}', b'{"query":"query \\u0000 {__typename}"}', b'{"query":["{__typename}"]}'),
    *(b'{"query":"{__typename}","variables":{"\\ud800":1}}', b'{"query":"{__typename}","extensions":{"a":"\\ud800"}}'),
    b'{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"\\ud800"}}}',
    b'{"query":"{__typename}","query":"{nothing}"}',
)


async def test_every_part_of_a_body_takes_anything(settings: Settings, database: Database) -> None:
    app = create_app(settings, database)
    headers = (("content-type", "application/json"),)
    async with app.router.lifespan_context(app):
        for _, answer in await walk(app, [Step("/graphql", headers, "POST", body) for body in ODD_BODIES]):
            assert answer.status in (200, 400), answer
            assert isinstance(plain(answer), dict)


def message(answer: Answer) -> str:
    """Return the first error's sentence."""
    said = plain(answer)
    assert isinstance(said, dict)
    found: str = said["errors"][0]["message"]
    return found


async def test_a_refusal_says_in_a_sentence_what_is_wrong_and_where(settings: Settings, database: Database) -> None:
    app = create_app(settings, database)
    asks = "query($a: String!) { search(text: $a) { __typename } }"
    cases = {
        "`request.variables.a` has half a character (U+D800, a lone surrogate) in it.": step(
            {"query": asks, "variables": {"a": "x\ud800"}}
        ),
        "`request.variables.a` has a NUL (U+0000) in it, which no text here can have.": step(
            {"query": asks, "variables": {"a": "\0"}}
        ),
        "The query has a number of 5000 digits; 20 is the most.": step(
            {"query": f"{{ killmail(id: {DIGITS}) {{ id }} }}"}
        ),
        "`request.variables.id` is a number of more than 64 bits.": step(
            {"query": "query($id: ID64!) { killmail(id: $id) { id } }", "variables": {"id": 10**30}}
        ),
        "A text of the query has a NUL (U+0000) in it, which no text here can have.": step(
            {"query": '{ search(text: "\\u0000") { __typename } }'}
        ),
    }
    async with app.router.lifespan_context(app):
        for sentence, one in cases.items():
            ((_, answer),) = await walk(app, [one])
            assert message(answer) == sentence
