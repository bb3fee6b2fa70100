"""How long a list of 50 killmails takes the breadth-first engine, from the views in memory to the bytes of the answer.

    python -m bench.graphql_engine [--rounds N]

Beside it in the same run: graphql-core's own executor over the same views, and a plain loop that builds the same JSON
by hand. All three give the same bytes, which is checked. Parsing and validating is left out: documents are remembered.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec
from graphql import ExecutionResult, GraphQLInterfaceType, GraphQLSchema, GraphQLUnionType, execute, parse

from bench.universe import seed_universe
from killreport.api.engine.executor import BatchExecutor
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.plan import Plans
from killreport.api.engine.registry import Resolvers, bind, snake_case
from killreport.api.killmail import fitting
from killreport.api.killmail import queries as killmail_queries
from killreport.api.killmail.pages import ConnectionView, connection_of, read_page
from killreport.api.paging.scalars import instant_text, isk_text
from killreport.api.schema import unbound_schema
from killreport.api.state.live import Subscriber
from killreport.api.views.entity import EntityViews
from killreport.api.views.killmail import KillmailView
from killreport.api.views.universe import UniverseViews
from killreport.entity.queries import NamedGroup, Names
from killreport.killmail.lists.page import Order
from killreport.killmail.stored.queries import KillmailRow

ROWS = 50
QUERY = parse("""{ killmails { nodes {
  id time points labels values { total }
  solarSystem { id name security region { id name } }
  victim { character { id name } corporation { id name ticker } alliance { id name ticker }
           shipType { id name group { id name } } damageTaken }
  finalBlow { character { id name } corporation { id name ticker } alliance { id name ticker } shipType { id name } }
} pageInfo { hasNextPage endCursor } } }""")


def make_page() -> ConnectionView:
    """Return 50 killmails of different people, ships and systems."""
    universe = seed_universe()
    views = UniverseViews(universe)
    group = NamedGroup("A Group of Pilots", "GRP")
    pilots = {90_000_000 + number: f"Pilot Number {number}" for number in range(2 * ROWS)}
    groups = {98_000_000 + number: group for number in range(2 * ROWS)}
    alliances = {99_000_000 + number: group for number in range(2 * ROWS)}
    entities = EntityViews(Names(pilots, groups, alliances), views)
    ships, systems = sorted(universe.types)[1000:], sorted(universe.systems)
    nodes = [KillmailView(_row(n, ships[n], systems[n * 7]), entities, views, None, Order.NEWEST) for n in range(ROWS)]
    request = read_page(first=ROWS)
    return connection_of(request, nodes, has_more=True, wanted=None)


def _row(number: int, ship_type_id: int, system_id: int) -> KillmailRow:
    moment = datetime(2026, 11, 23, 20, 31, 5, tzinfo=UTC) - timedelta(minutes=number)
    system = seed_universe().systems[system_id]
    loser, killer = number, ROWS + number
    return KillmailRow(
        100_000_000 + number, moment, system_id, system.constellation_id, system.region_id, None,
        90_000_000 + loser, 98_000_000 + loser, 99_000_000 + loser, None, ship_type_id, None, 12_345, 1.0, 2.0, 3.0,
        90_000_000 + killer, 98_000_000 + killer, None if number % 3 else 99_000_000 + killer, None, ship_type_id, None,
        5, 5, 100, 1, 200, 300, 400, 12_345_678_900, True,
        7, False, number % 5 == 0, False, ["pvp", "loc:nullsec"], moment,
    )  # fmt: skip


def batch_schema(page: ConnectionView) -> GraphQLSchema:
    """Return the product's schema, answering from memory."""
    table = Resolvers()
    table.reads += [*killmail_queries.resolvers.reads, *fitting.resolvers.reads]
    schema = unbound_schema()
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    assert schema.subscription_type is not None
    for name in schema.query_type.fields:
        table.field("Query", name, partial(_give, page if name == "killmails" else None))
    for name in schema.mutation_type.fields:
        table.field("Mutation", name, partial(_give, None))
    for name in schema.subscription_type.fields:
        table.source(name, lambda _info, **_arguments: Subscriber())
    for name, found in schema.type_map.items():
        if isinstance(found, GraphQLInterfaceType | GraphQLUnionType):
            table.type_of(name, lambda values, _info: values)
    return bind(schema, table)


def _give(value: ConnectionView | None, _root: Sequence[None], _info: FieldInfo, **_arguments: Any) -> Sequence[Any]:
    return [value]


def single_schema(page: ConnectionView) -> GraphQLSchema:
    """Return the product's schema with resolvers of one parent, as graphql-core calls them."""
    schema = unbound_schema()
    reads = {(kind, name): read for table in (killmail_queries, fitting) for kind, name, read in table.resolvers.reads}
    assert schema.query_type is not None
    schema.query_type.fields["killmails"].resolve = lambda _root, _info, **_arguments: page
    for found in schema.type_map.values():
        for name, field in getattr(found, "fields", {}).items():
            if not found.name.startswith("__") and getattr(field, "resolve", name) is None:
                field.resolve = _reader(reads.get((found.name, name)) or attrgetter(snake_case(name)))
    return schema


def _reader(read: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda parent, _info: read(parent)


def by_hand(page: ConnectionView) -> bytes:
    """Return the answer as somebody would write it who knows the query."""
    info = {"hasNextPage": page.page_info.has_next_page, "endCursor": page.page_info.end_cursor}
    nodes = [_node(killmail) for killmail in page.nodes]
    return msgspec.json.encode({"data": {"killmails": {"nodes": nodes, "pageInfo": info}}})


def _node(killmail: KillmailView) -> dict[str, Any]:
    victim, final_blow, system = killmail.victim, killmail.final_blow, killmail.solar_system
    return {
        "id": killmail.id,
        "time": instant_text(killmail.time),
        "points": killmail.points,
        "labels": killmail.labels,
        "values": {"total": isk_text(killmail.row.total_value_cents)},
        "solarSystem": {
            "id": system.id, "name": system.name, "security": system.security, "region": _named(system.region),
        },
        "victim": {
            **_party(victim),
            "shipType": {**(_named(victim.ship_type) or {}), "group": _named(victim.ship_type.group)},
            "damageTaken": victim.damage_taken,
        },
        "finalBlow": {**_party(final_blow), "shipType": _named(final_blow.ship_type)},
    }  # fmt: skip


def _party(party: Any) -> dict[str, Any]:
    return {
        "character": _named(party.character),
        "corporation": _ticked(party.corporation),
        "alliance": _ticked(party.alliance),
    }


def _named(view: Any) -> dict[str, Any] | None:
    return None if view is None else {"id": view.id, "name": view.name}


def _ticked(view: Any) -> dict[str, Any] | None:
    return None if view is None else {"id": view.id, "name": view.name, "ticker": view.ticker}


def _answer(schema: GraphQLSchema, executor: Any, **others: Any) -> Callable[[], bytes]:
    def answer() -> bytes:
        result = execute(schema, QUERY, executor_class=executor, **others)
        assert isinstance(result, ExecutionResult)
        assert result.errors is None, result.errors
        return msgspec.json.encode({"data": result.data})

    return answer


def measure(rounds: int) -> dict[str, object]:
    """Return the best time of each in milliseconds, taken in turns, and how they compare."""
    page = make_page()
    ways: dict[str, Callable[[], bytes]] = {
        "engine": _answer(batch_schema(page), BatchExecutor, plans=Plans()),
        "graphql_core": _answer(single_schema(page), None),
        "by_hand": lambda: by_hand(page),
    }
    answers = {way() for way in ways.values()}
    assert len(answers) == 1, "the three do not answer alike"
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            taken[name].append((time.perf_counter() - began) * 1000)
    # The machine may be shared: what disturbs a round only ever makes it longer.
    best = {name: min(times) for name, times in taken.items()}
    return {
        "rows": ROWS,
        "bytes": len(answers.pop()),
        "ms": {name: round(value, 3) for name, value in best.items()},
        "ratio_graphql_core_to_engine": round(best["graphql_core"] / best["engine"], 1),
        "ratio_engine_to_by_hand": round(best["engine"] / best["by_hand"], 2),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.graphql_engine")
    parser.add_argument("--rounds", type=int, default=200)
    print(json.dumps(measure(parser.parse_args(arguments).rounds), indent=1))


if __name__ == "__main__":
    main()
