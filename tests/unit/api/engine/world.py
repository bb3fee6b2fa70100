"""A schema with everything in it, and objects whose every value follows from a seed, wrong ones among them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_abstract_type,
)

from killreport.api.engine.answer_cache import Immutable
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import Resolvers, bind, snake_case

SDL = """
scalar Money
enum Color { RED GREEN BLUE }
input Filter { minPrice: Int = 2, colors: [Color!], and: Filter }
interface Node { id: ID!, name: String, peer: Node, kin: [Node!] }
interface Priced { price: Money!, worth: Money }
union Thing = A | B | C
type A implements Node & Priced {
  id: ID!, name: String, peer: Node, kin: [Node!], price: Money!, worth: Money
  count: Int!, ratio: Float, flag: Boolean!, color: Color, colors: [Color!]!
  strictA: A!, maybeB: B, listOfA: [A], strictBs: [B!]!, grid: [[Int!]], cells: [[C!]!]!
  anything: Thing, strictThing: Thing!, things: [Thing!]!
  slow: String!, slowA: A, slowAs: [A!], pick(n: Int! = 3, color: Color = RED, where: Filter): String!
  slowPick(n: Int, names: [String!]): [String!]
}
type B implements Node {
  id: ID!, name: String, peer: Node, kin: [Node!], color: Color, maybeC: C, slowC: C!, listOfC: [C!]
  matrix: [[[Float]!]!], priced: [Priced], quick: Int, pick(n: Int! = 3, color: Color = RED, where: Filter): String!
}
type C implements Priced { price: Money!, worth: Money, flag: Boolean!, strictA: A!, things: [Thing!]!, slow: String! }
type Query {
  a(n: Int): A, strictA: A!, slowA: A, node: Node, nodes: [Node!]!, things: [Thing!]!, slowThing: Thing, as: [A!]
  number: Int!, slowNumber: Int
}
type Mutation { addA(n: Int! = 1): A, addStrict: A!, slowAdd: [Thing!], number: Int! }
type Subscription { told: A!, toldThings: [Thing] }
"""
# Fields of these names have resolvers; the slow ones have to be waited for.
RESOLVED = ("pick", "quick", "strictThing", "listOfC", "kin", "strictBs")
ODDITIES: list[Any] = ["12", "text", 2**40, float("nan"), 1.5, True, object(), b"x", {"a": 1}, [1], "RED", -7, ""]


class Oddity(Exception):
    """What a resolver raises on purpose."""


class Being:
    """An object whose attributes follow from the seed and from the way to it."""

    def __init__(self, world: World, kind: str, key: str) -> None:
        self._world, self.kind, self.key = world, kind, key

    def __repr__(self) -> str:
        return f"<{self.key}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._world.attribute(self, name)


class LastingBeing(Being, Immutable):
    """One of the few objects that are met again and again."""


class World:
    """Values of everything; `health` is how rarely something is wrong."""

    def __init__(self, schema: GraphQLSchema, seed: int, health: float) -> None:
        self.schema, self.seed, self.health = schema, seed, health
        self._lasting: dict[tuple[str, int], LastingBeing] = {}

    def attribute(self, being: Being, name: str) -> Any:
        """Return an attribute, or raise."""
        fields = self.schema.type_map[being.kind].fields  # type: ignore[attr-defined]
        output_type = next(field.type for known, field in fields.items() if snake_case(known) == name)
        value = self.make(output_type, f"{being.key}.{name}")
        if isinstance(value, Oddity) and len(value.args[0]) % 2:
            raise value
        return value

    def make(self, output_type: Any, key: str) -> Any:
        """Return a value of the type; now and then null, an exception, or nonsense."""
        chance = Random(f"{self.seed} {key}")
        if isinstance(output_type, GraphQLNonNull):
            inner, nulls = output_type.of_type, 0.3
        else:
            inner, nulls = output_type, 2.0
        if chance.random() < nulls / self.health:
            return None
        if chance.random() < 0.4 / self.health:
            return Oddity(f"odd {key}")
        if chance.random() < 0.3 / self.health:
            # Half of the wrong numbers are of the right Python type, which only their value gives away.
            near = {"Int": 2**31, "Float": float("nan")}.get(getattr(inner, "name", ""))
            return near if near is not None and chance.random() < 0.5 else chance.choice(ODDITIES)
        return self._sound(inner, key, chance)

    def _sound(self, inner: Any, key: str, chance: Random) -> Any:
        if isinstance(inner, GraphQLList):
            items = [self.make(inner.of_type, f"{key}.{item}") for item in range(chance.choice((0, 1, 1, 2, 3)))]
            return chance.choice((list, list, tuple, lambda values: dict(enumerate(values)).values()))(items)
        if isinstance(inner, GraphQLEnumType):
            return chance.choice(list(inner.values))
        if isinstance(inner, GraphQLObjectType):
            number = chance.randrange(8)
            return Being(self, inner.name, key) if number > 2 else self._met_again(inner.name, number)
        if is_abstract_type(inner):
            return Being(self, chance.choice(self.schema.get_possible_types(inner)).name, key)
        number = chance.randrange(-1000, 1000)
        by_name = {"Int": number, "Float": number / 8, "Boolean": number > 0, "Money": number}
        return by_name.get(inner.name, f"“{number}”\n")

    def _met_again(self, kind: str, number: int) -> LastingBeing:
        found = self._lasting.get((kind, number))
        if found is None:
            found = self._lasting[kind, number] = LastingBeing(self, kind, f"lasting {kind} {number}")
        return found

    def type_name(self, value: Any, abstract: GraphQLAbstractType) -> Any:
        """Return the name of the type of a value, rarely a wrong one or an exception."""
        if not isinstance(value, Being):
            return Oddity("of no type")
        chance = Random(f"{self.seed} {value.key} type of {abstract.name}")
        if chance.random() < 0.5 / self.health:
            return chance.choice((Oddity(f"type of {value.key}"), "Query", "Nothing"))
        return value.kind


def serialise_money(value: Any) -> str | None:
    """Return an amount as text; some amounts cannot be told."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"not an amount: {type(value).__name__}")
    return None if value == 13 else f"{value}.00"


def bare_schema() -> GraphQLSchema:
    """Return the schema without resolvers."""
    schema = build_schema(SDL)
    schema.type_map["Money"].coerce_output_value = serialise_money  # type: ignore[attr-defined]
    return schema


def _is_resolved(owner: str, name: str) -> bool:
    return owner in ("Query", "Mutation") or name in RESOLVED or name.startswith("slow")


def value_of(world: World, parent: Any, info: Any, owner: str, arguments: Any) -> Any:
    """Return what the resolver of a field gives for one parent."""
    key = getattr(parent, "key", owner)
    field = world.schema.type_map[owner].fields[info.field_name]  # type: ignore[attr-defined]
    return world.make(field.type, f"{key}.{info.field_name}{sorted(arguments.items())}")


def batch_schema() -> GraphQLSchema:
    """Return the schema with batch resolvers; the world is the context."""
    schema, table = bare_schema(), Resolvers()
    for owner, found in schema.type_map.items():
        if isinstance(found, GraphQLObjectType) and not owner.startswith("__") and owner != "Subscription":
            for name in found.fields:
                if _is_resolved(owner, name):
                    table.field(owner, name, (_slow if name.startswith("slow") else _quick)(owner))
    table.source("told", lambda info: events(info.context, "told"))
    table.source("toldThings", lambda info: events(info.context, "toldThings"))
    for abstract in ("Node", "Thing", "Priced"):
        table.type_of(abstract, (_slow_types if abstract == "Thing" else _types)(schema.type_map[abstract]))
    return bind(schema, table)


def _quick(owner: str) -> Any:
    def resolve(parents: Sequence[Any], info: FieldInfo, **arguments: Any) -> Sequence[Any]:
        return [value_of(info.context, parent, info, owner, arguments) for parent in parents]

    return resolve


def _slow(owner: str) -> Any:
    async def resolve(parents: Sequence[Any], info: FieldInfo, **arguments: Any) -> Sequence[Any]:
        for _ in range(len(info.field_name) % 3):
            await asyncio.sleep(0)
        return tuple(value_of(info.context, parent, info, owner, arguments) for parent in parents)

    return resolve


def _types(abstract: Any) -> Any:
    def name(values: Sequence[Any], info: FieldInfo) -> Sequence[Any]:
        return [info.context.type_name(value, abstract) for value in values]

    return name


def _slow_types(abstract: Any) -> Any:
    async def name(values: Sequence[Any], info: FieldInfo) -> Sequence[Any]:
        await asyncio.sleep(0)
        return [info.context.type_name(value, abstract) for value in values]

    return name


async def events(world: World, field: str) -> Any:
    """Yield three events."""
    for number in range(3):
        yield world.make(world.schema.type_map["Subscription"].fields[field].type, f"event {number}")  # type: ignore[attr-defined]
