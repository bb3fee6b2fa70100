"""Objects that never change: what was answered for one is kept, as long as the plan and within its bound."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from typing import Any

from graphql import ExecutionResult, GraphQLSchema, build_schema, execute, parse

from killreport.api.engine.answer_cache import AnswerCache, Immutable
from killreport.api.engine.executor import BatchExecutor
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.plan import Plans
from killreport.api.engine.registry import Resolvers, bind

SDL = """
type Query { ships: [Ship] }
type Ship { id: Int!, name: String, hull: Hull, crew: Int, tags: [String!] }
type Hull { id: Int! }
"""


class Ship(Immutable):
    """A ship that counts how often its name is read."""

    crew = 3
    tags = ("a",)

    def __init__(self, number: int, name: object = "Rifter") -> None:
        self.id, self._name = number, name
        self.hull = self
        self.reads = 0

    @property
    def name(self) -> object:
        """Return the name, or raise it."""
        self.reads += 1
        if isinstance(self._name, Exception):
            raise self._name
        return self._name


def make_schema(ships: list[Any]) -> GraphQLSchema:
    """Return a schema of these ships, as they are when it is asked."""
    table = Resolvers()
    table.field("Query", "ships", lambda _root, _info: [list(ships)])
    table.field("Ship", "crew", resolve_crew)
    return bind(build_schema(SDL), table)


def resolve_crew(ships: Sequence[Ship], _info: FieldInfo) -> list[int]:
    for ship in ships:
        ship.crew += 1
    return [ship.crew for ship in ships]


class Read:
    """A document and the plans of its operation."""

    def __init__(self, text: str) -> None:
        self.node, self.plans = parse(text), Plans()


def ask(schema: GraphQLSchema, document: Read) -> ExecutionResult:
    result = execute(schema, document.node, executor_class=BatchExecutor, plans=document.plans)
    assert isinstance(result, ExecutionResult)
    return result


def test_an_object_that_was_answered_is_not_read_again() -> None:
    ship, other = Ship(1), Ship(2, "Slasher")
    ships = [ship, None, ship]
    schema, document = make_schema(ships), Read("{ ships { id name hull { id } } }")
    row = {"id": 1, "name": "Rifter", "hull": {"id": 1}}
    assert ask(schema, document).data == {"ships": [row, None, row]}
    ships.append(other)
    found = {"id": 2, "name": "Slasher", "hull": {"id": 2}}
    assert ask(schema, document).data == {"ships": [row, None, row, found]}
    assert (ship.reads, other.reads) == (1, 1)
    assert ask(schema, Read("{ ships { name } }")).data == {
        "ships": [{"name": "Rifter"}, None, *_names("Rifter", "Slasher")]
    }
    assert (ship.reads, other.reads) == (2, 2), "another plan asks anew"


def _names(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def test_what_has_a_resolver_or_a_list_is_asked_each_time() -> None:
    ship = Ship(1)
    schema = make_schema([ship])
    for text in ("{ ships { name crew } }", "{ ships { name tags } }"):
        document, before = Read(text), ship.reads
        ask(schema, document)
        ask(schema, document)
        assert ship.reads == before + 2
    assert ship.crew == 5


def test_an_error_is_told_at_every_place_each_time() -> None:
    broken = Ship(1, ValueError("no name"))
    schema, document = make_schema([Ship(2), broken, broken]), Read("{ ships { name } }")
    for _ in range(2):
        result = ask(schema, document)
        assert result.data == {"ships": [{"name": "Rifter"}, {"name": None}, {"name": None}]}
        assert [(error.path, error.message) for error in result.errors or ()] == [
            (["ships", 1, "name"], "no name"),
            (["ships", 2, "name"], "no name"),
        ]


def test_other_objects_in_the_column_are_answered_as_always() -> None:
    class Plain:
        id, name = 7, "Plain"

    ship = Ship(1)
    schema, document = make_schema([ship, Plain()]), Read("{ ships { name } }")
    for _ in range(2):
        assert ask(schema, document).data == {"ships": _names("Rifter", "Plain")}
    assert ship.reads == 2


def test_of_too_many_all_are_forgotten_and_answered_again() -> None:
    answers, ships = AnswerCache(3), [Ship(number) for number in range(5)]
    schema, document = make_schema(ships), Read("{ ships { id name } }")
    schema.extensions["engine.answers"] = answers
    rows = [{"id": number, "name": "Rifter"} for number in range(5)]
    assert ask(schema, document).data == {"ships": rows}
    del ships[2:]
    for expected in (2, 2):
        assert ask(schema, document).data == {"ships": rows[:2]}
        assert ships[0].reads == expected
    ships[:] = [ships[0], Ship(8), Ship(9)]
    assert [row["id"] for row in (ask(schema, document).data or {})["ships"]] == [0, 8, 9]
    assert ships[0].reads == 2, "it was found before the others made room for themselves"


def test_a_plan_that_is_forgotten_takes_its_answers_with_it() -> None:
    ships = [Ship(1)]
    schema = make_schema(ships)
    document = Read("{ ships { id } }")
    ask(schema, document)
    held = weakref.ref(ships.pop())
    gc.collect()
    assert held() is not None
    del document
    gc.collect()
    assert held() is None
