"""Variables declared as `Int` where an ID64 is wanted: taken, for every Int is one, and clients wrote so before.

Until all ids were of one type some were `Int`. A document from then still runs; it names ids up to 2^31 only.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    OperationDefinitionNode,
    TypeNode,
    VariableDefinitionNode,
    VariablesInAllowedPositionRule,
    get_named_type,
    parse_type,
    print_ast,
)

_PLAIN, _WIDE = "Int", "ID64"


class VariablesOfIds(VariablesInAllowedPositionRule):
    """The rule of the specification, but that an `Int` may stand for an ID64."""

    def enter_operation_definition(self, operation: OperationDefinitionNode, *args: Any) -> None:
        """Note the variables of an operation, and those that name ids as what they are for."""
        super().enter_operation_definition(operation, *args)
        wide: dict[str, bool] = {}
        for usage in self.context.get_recursive_variable_usages(operation):
            name = usage.node.name.value
            is_wide = usage.type is not None and get_named_type(usage.type).name == _WIDE
            wide[name] = wide.get(name, True) and is_wide
        for name, is_wide in wide.items():
            definition = self.var_def_map.get(name)
            if is_wide and definition is not None and _innermost(definition.type) == _PLAIN:
                self.var_def_map[name] = VariableDefinitionNode(
                    variable=definition.variable,
                    type=parse_type(print_ast(definition.type).replace(_PLAIN, _WIDE)),
                    default_value=definition.default_value,
                    loc=definition.loc,
                )


def _innermost(node: TypeNode) -> str:
    return print_ast(node).strip("[]!")
