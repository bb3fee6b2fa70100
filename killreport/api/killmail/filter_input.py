"""From the arguments of a list to the domain's filter, with errors that name the argument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError

from killreport.api.engine.registry import snake_case
from killreport.api.paging.pages import bad_request
from killreport.errors import Malformed
from killreport.killmail.filters.table import FILTERS
from killreport.killmail.filters.tree import EVERYTHING, NOT, KillmailFilter

_NAMES = {snake_case(name): name for name in FILTERS}


def malformed_filter(error: Malformed) -> GraphQLError:
    """Return the error of a part of the argument `filter`, such as `filter.and[1].valueMin`."""
    return bad_request(f"`filter.{error.path}`: {error.reason}.")


def read_filter(arguments: Mapping[str, Any] | None) -> KillmailFilter:
    """Return the filter of an argument, every killmail where it was left out. Raises GraphQLError (BAD_REQUEST)."""
    if arguments is None:
        return EVERYTHING
    try:
        return KillmailFilter.read(_plain(arguments))
    except Malformed as error:
        raise malformed_filter(error) from None


def _plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the argument with the table's names; what is null was not given."""
    plain: dict[str, Any] = {}
    for name, value in arguments.items():
        if value is None:
            continue
        if name == NOT:
            plain[name] = _plain(value)
        elif name in _NAMES:
            plain[_NAMES[name]] = value
        else:
            plain[name] = [_plain(part) for part in value]
    return plain
