"""What plans may hold, whatever documents strangers send."""

from __future__ import annotations

import pytest
from graphql import build_schema, execute, parse

from killreport.api.engine import plan as module
from killreport.api.engine.executor import BatchExecutor
from killreport.api.engine.plan import Plans
from killreport.api.engine.registry import Resolvers, bind

SCHEMA = build_schema("type Query { ship: Ship } type Ship { name: String }")
RESOLVERS = Resolvers()
RESOLVERS.field("Query", "ship", lambda _root, _info: [None])
bind(SCHEMA, RESOLVERS)


@pytest.fixture
def plans() -> Plans:
    found = SCHEMA.extensions["engine.plans"] = Plans()
    return found


def ask(text: str, **variables: bool) -> None:
    result = execute(SCHEMA, parse(text), executor_class=BatchExecutor, variable_values=variables)
    assert not hasattr(result, "__await__")


def test_documents_are_held_up_to_so_many_characters(plans: Plans, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CHARACTERS", 1_000)
    for number in range(10):
        ask(f"{{ s{number}: ship {{ name }} }}" + " " * 400)
    assert (len(plans._deciding), len(plans._plans)) == (2, 2)


def test_a_document_larger_than_there_is_room_for_is_not_held(plans: Plans, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CHARACTERS", 1_000)
    ask("{ ship { name } }" + " " * 1_000)
    assert (len(plans._deciding), len(plans._plans)) == (0, 0)


def test_plans_are_held_up_to_so_many_fields(plans: Plans, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FIELDS", 25)
    names = [f"v{number}" for number in range(4)]
    wanted = " ".join(f"{name}: ship @include(if: ${name}) {{ name }}" for name in names)
    query = f"query ({', '.join(f'${name}: Boolean!' for name in names)}) {{ {wanted} ship {{ name }} }}"
    document = parse(query)
    for bits in range(16):
        variables = {name: bool(bits >> place & 1) for place, name in enumerate(names)}
        execute(SCHEMA, document, executor_class=BatchExecutor, variable_values=variables)
    assert sum(plan.field_count for plan in plans._plans.values()) <= 25
    assert plans._plans
