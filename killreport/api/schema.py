"""The schema: the SDL files of this package, bound to their resolvers.

`make docs` writes it whole into `schema.graphql`, for readers and for tools; a test fails while that is out of date.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import resources
from pathlib import Path

from graphql import GraphQLSchema, assert_valid_schema, lexicographic_sort_schema, print_schema
from graphql import build_schema as schema_of

from killreport.api.door.rights import keep_rights
from killreport.api.engine.registry import bind
from killreport.api.entity import history as entity_history
from killreport.api.entity import lists as entity_lists
from killreport.api.entity import queries as entity
from killreport.api.killmail import fitting
from killreport.api.killmail import mutations as killmail_mutations
from killreport.api.killmail import queries as killmail
from killreport.api.leaderboard import queries as leaderboard
from killreport.api.leaderboard import statistics
from killreport.api.node import queries as node
from killreport.api.operation import queries as operation
from killreport.api.paging.scalars import bind_scalars
from killreport.api.search import queries as search
from killreport.api.status import queries as status
from killreport.api.totals import queries as totals
from killreport.api.universe import killmail_lists, places, types
from killreport.api.universe import queries as universe

_SDL_FILES = (
    "door/guard/directives.graphql",
    "root.graphql",
    "killmail/killmail.graphql",
    "killmail/filter.graphql",
    "entity/entity.graphql",
    "universe/universe.graphql",
    "status/status.graphql",
    "leaderboard/leaderboard.graphql",
    "search/search.graphql",
    "totals/totals.graphql",
    "operation/operation.graphql",
    "node/node.graphql",
)

_TABLES = (
    killmail.resolvers,
    fitting.resolvers,
    killmail_mutations.resolvers,
    status.resolvers,
    entity.resolvers,
    entity_lists.resolvers,
    entity_history.resolvers,
    leaderboard.resolvers,
    statistics.resolvers,
    search.resolvers,
    totals.resolvers,
    operation.resolvers,
    universe.resolvers,
    places.resolvers,
    killmail_lists.resolvers,
    types.resolvers,
    node.resolvers,
)


def unbound_schema() -> GraphQLSchema:
    """Return the schema of the SDL files with its scalars, and without resolvers."""
    folder = resources.files("killreport.api")
    schema = schema_of("\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in _SDL_FILES))
    bind_scalars(schema)
    assert_valid_schema(schema)
    return schema


@cache
def build_schema() -> GraphQLSchema:
    """Return the executable schema, made once a process and then changed by nobody.

    Its camelCase fields read the snake_case attributes of the views.
    """
    return keep_rights(bind(unbound_schema(), *_TABLES))


def schema_text() -> str:
    """Return the whole schema as SDL, sorted, as `schema.graphql` of this package keeps it."""
    return print_schema(lexicographic_sort_schema(build_schema())) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(schema_text(), encoding="utf-8")
