"""What programs ask of the schema when they get to know it: answered to anybody, from kept answers.

The queries of graphql-js and of what copies them, Apollo and Relay among others, differ in options, names and layout.
What they have in common is that they ask for each thing once, and for nothing that the fullest of them does not ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from graphql import (
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_introspection_query,
    parse,
)

# What an answer costs that is not kept yet, and takes 20 ms; a kept one costs what every request does.
PRICE = 100
# The deepest type that a client unwraps: twelve lists in each other.
TYPE_DEPTH = 12

Tree = Mapping[str, "Tree"]


def asks_for_schema(document: DocumentNode) -> bool:
    """Whether a valid document asks what the standard introspection query asks, or less of it, and nothing else.

    Known clients put `__typename` wherever it can be.
    """
    operations = [part for part in document.definitions if isinstance(part, OperationDefinitionNode)]
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    first = operations[0]
    if len(operations) > 1 or first.operation is not OperationType.QUERY:
        return False
    if first.variable_definitions or first.directives:
        return False
    is_schema_asked = any(
        isinstance(part, FieldNode) and part.name.value == "__schema" for part in first.selection_set.selections
    )
    return is_schema_asked and _is_within(first.selection_set, _fullest(), fragments)


def _is_within(
    selections: SelectionSetNode | None, allowed: Tree, fragments: Mapping[str, FragmentDefinitionNode]
) -> bool:
    for part in selections.selections if selections is not None else ():
        if part.directives:
            return False
        if isinstance(part, FieldNode):
            name = part.name.value
            if part.alias is not None or not _has_usual_arguments(part):
                return False
            if name != "__typename" and (
                name not in allowed or not _is_within(part.selection_set, allowed[name], fragments)
            ):
                return False
        elif isinstance(part, FragmentSpreadNode):
            if not _is_within(fragments[part.name.value].selection_set, allowed, fragments):
                return False
        elif isinstance(part, InlineFragmentNode) and not _is_within(part.selection_set, allowed, fragments):
            return False
    return True


def _has_usual_arguments(field: FieldNode) -> bool:
    return all(
        given.name.value == "includeDeprecated" and isinstance(given.value, BooleanValueNode)
        for given in field.arguments or ()
    )


@cache
def _fullest() -> Tree:
    """Return the fields of the query with every option, as names inside each other."""
    document = parse(
        get_introspection_query(
            descriptions=True,
            specified_by_url=True,
            directive_is_repeatable=True,
            schema_description=True,
            input_value_deprecation=True,
            experimental_directive_deprecation=True,
            one_of=True,
            type_depth=TYPE_DEPTH,
        )
    )
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    found: dict[str, Tree] = {}
    for part in document.definitions:
        if isinstance(part, OperationDefinitionNode):
            found |= _tree(part.selection_set, fragments)
    return found


def _tree(selections: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode]) -> Tree:
    found: dict[str, Tree] = {}
    for part in selections.selections if selections is not None else ():
        if isinstance(part, FieldNode):
            found[part.name.value] = _tree(part.selection_set, fragments)
        elif isinstance(part, FragmentSpreadNode):
            found |= _tree(fragments[part.name.value].selection_set, fragments)
    return found
