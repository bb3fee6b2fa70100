"""What the plans of one operation may hold, whatever variables strangers send."""

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


def ask(plans: Plans, text: str, **variables: bool) -> None:
    result = execute(SCHEMA, parse(text), executor_class=BatchExecutor, variable_values=variables, plans=plans)
    assert not hasattr(result, "__await__")


def test_plans_are_held_up_to_so_many_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FIELDS", 25)
    plans = Plans()
    names = [f"v{number}" for number in range(4)]
    wanted = " ".join(f"{name}: ship @include(if: ${name}) {{ name }}" for name in names)
    query = f"query ({', '.join(f'${name}: Boolean!' for name in names)}) {{ {wanted} ship {{ name }} }}"
    for bits in range(16):
        ask(plans, query, **{name: bool(bits >> place & 1) for place, name in enumerate(names)})
        assert 0 < plans.field_count <= 25


def test_a_plan_larger_than_there_is_room_for_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FIELDS", 1)
    plans = Plans()
    ask(plans, "{ a: ship { name } b: ship { name } }")
    assert plans.field_count == 0
