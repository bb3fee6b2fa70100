"""Global ids: the type of the schema and EVE's id, `Character:90000001`."""

from __future__ import annotations

from killreport.api.paging.pages import bad_request
from killreport.ids import read_whole


def node_id(type_name: str, number: int) -> str:
    """Return the global id of an object of a type of the schema."""
    return f"{type_name}:{number}"


def read_node_id(text: str) -> tuple[str, int]:
    """Return the type and EVE's id. Raises GraphQLError (BAD_REQUEST) for what `node_id` never gave.

    The type may be none of the schema's.
    """
    type_name, _, digits = text.partition(":")
    number = read_whole(digits)
    if number is None or node_id(type_name, number) != text:
        raise bad_request("`id` must be a `nodeId`, such as `Character:90000001`: a number alone tells no kind.")
    return type_name, number
