"""What the directives in the SDL say of a field or a type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import FieldDefinitionNode, TypeDefinitionNode, value_from_ast_untyped


def annotation(node: FieldDefinitionNode | TypeDefinitionNode | None, directive: str) -> Mapping[str, Any]:
    """Return the arguments of a directive of this name at the definition, nothing where it has none."""
    for found in (node.directives if node is not None else None) or ():
        if found.name.value == directive:
            return {given.name.value: value_from_ast_untyped(given.value) for given in found.arguments or ()}
    return {}
