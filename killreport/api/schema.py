"""The schema: the SDL files of this package, bound to their resolvers."""

from __future__ import annotations

from importlib import resources

from ariadne import make_executable_schema
from graphql import GraphQLSchema

from killreport.api.killmail import queries as killmail
from killreport.api.scalars import scalars
from killreport.api.status import queries as status

_SDL_FILES = (
    "guard/directives.graphql",
    "root.graphql",
    "killmail/killmail.graphql",
    "entity/entity.graphql",
    "universe/universe.graphql",
    "status/status.graphql",
)


def build_schema() -> GraphQLSchema:
    """Return the executable schema; camelCase fields read the snake_case attributes of the views."""
    folder = resources.files("killreport.api")
    return make_executable_schema(
        [folder.joinpath(name).read_text(encoding="utf-8") for name in _SDL_FILES],
        killmail.query,
        killmail.subscription,
        status.query,
        *scalars,
        convert_names_case=True,
    )
