"""Reading and checking query documents, and remembering those that passed: the site asks the same few all the time."""

from __future__ import annotations

import gc
from collections import OrderedDict
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    VariablesInAllowedPositionRule,
    get_operation_ast,
    specified_rules,
    validate,
)
from graphql.validation import OverlappingFieldsCanBeMergedRule, ValidationContext
from graphql.validation.validate import ValidationAbortedError

from killreport.api.door.guard.id_variables import VariablesOfIds
from killreport.api.door.guard.introspection import asks_for_schema
from killreport.api.door.guard.operation import Operation
from killreport.api.door.guard.readable import FitLiterals
from killreport.api.door.guard.weight import Weight
from killreport.api.door.limits import Limits, read_document, size_limit

# Of all documents that are remembered, with what was made of them.
MAX_BYTES = 40 * 2**20
MAX_REMEMBERED = 5_000
DOCUMENT_BYTES = 5_000
CHARACTER_BYTES = 150
PART_BYTES = 400
PLANNED_FIELD_BYTES = 2_000
# With its variables, which are short.
COST_BYTES = 400
# Checking leaves circles that hold the document, and the API's collector looks for circles rarely.
COLLECTED_CHARACTERS = 150_000
# Looking for more would take a wrong document longer than a right one.
MAX_ERRORS = 10
# Comparisons of fields that would share a place in the answer; what people ask stays far below.
MAX_COMPARISONS = 20_000


class BoundedOverlap(OverlappingFieldsCanBeMergedRule):
    """Fields that share a place must be alike; told in so many comparisons, or the document is refused."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = MAX_COMPARISONS


class NoIntrospection(ASTValidationRule):
    """Refuses `__schema` and `__type`, each with one error; graphql-core's own rule tells every field inside, too."""

    def enter_field(self, node: FieldNode, *_args: Any) -> None:
        """Check a field."""
        name = node.name.value
        if name in ("__schema", "__type"):
            self.report_error(GraphQLError(f"Cannot query '{name}': introspection is disabled.", node))


class Document:
    """A valid document and all that was made of it so far.

    digest: equal for documents that differ in layout alone. asks_for_schema: it is a usual question for the schema, and
    for nothing else; schema_answer is then the answer, compressed, once there was one.
    """

    def __init__(self, schema: GraphQLSchema, text: str, node: DocumentNode, digest: str) -> None:
        self.node = node
        self.digest = digest
        self.asks_for_schema = asks_for_schema(node)
        self.schema_answer = b""
        # Its size when it was counted last, 0 while it is not remembered.
        self.counted = 0
        self._schema = schema
        self._own_bytes = DOCUMENT_BYTES + CHARACTER_BYTES * len(text)
        self._operations: dict[str | None, Operation] = {}

    def operation(self, name: str | None) -> Operation:
        """Return the operation of this name, or the only one. Raises GraphQLError where there is none."""
        found = self._operations.get(name)
        if found is None:
            node = get_operation_ast(self.node, name)
            if node is None:
                raise GraphQLError(
                    f"The document has no operation `{name}`."
                    if name
                    else "The document has several operations: name one in `operationName`."
                )
            found = self._operations[name] = Operation(self._schema, self.node, node)
        return found

    @property
    def size(self) -> int:
        """About how many bytes it takes, with what was made of it; a question for the schema grows by 25 kB."""
        operations = self._operations.values()
        fields = sum(operation.plans.field_count for operation in operations)
        costs = sum(len(operation.costs) for operation in operations)
        parts = sum(operation.part_count for operation in operations)
        made = PLANNED_FIELD_BYTES * fields + COST_BYTES * costs + PART_BYTES * parts
        return self._own_bytes + made + len(self.schema_answer)


class DocumentRefused(GraphQLError):
    """Several mistakes of one document."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


class Documents:
    """Reads and checks for one schema. with_introspection: else its names are kept out of the advice, too."""

    def __init__(self, schema: GraphQLSchema, limits: Limits | None = None, *, with_introspection: bool = True) -> None:
        self.limits = limits or Limits()
        self._schema = schema
        self._with_introspection = with_introspection
        self._size_limit = size_limit(self.limits)
        self._rules = _rules(with_introspection)
        self._by_text: OrderedDict[str, Document] = OrderedDict()
        self._bytes = 0
        self._read_characters = 0

    def find(self, text: str) -> Document | None:
        """Return the document where it is remembered."""
        found = self._by_text.get(text)
        if found is not None:
            self._by_text.move_to_end(text)
        return found

    def read(self, text: str, weight: Weight) -> Document:
        """Return a document that was weighed. Raises GraphQLError where it is wrong, Refused for its mistakes."""
        self._collect(len(text))
        node = read_document(text)
        _unlink(node)
        # The size first, since other rules take long on a large document.
        problems = validate(self._schema, node, [self._size_limit, FitLiterals]) or validate(
            self._schema, node, self._rules, MAX_ERRORS, hide_suggestions=not self._with_introspection
        )
        if problems:
            raise _refusal(problems)
        found = Document(self._schema, text, node, weight.digest)
        if len(text) <= MAX_REMEMBERED:
            self._by_text[text] = found
            self._count(found)
        return found

    def settle(self, document: Document) -> None:
        """Count a document anew, which may have grown by its use; those unused for longest are forgotten for it."""
        if document.counted > 0:
            self._count(document)

    def _count(self, document: Document) -> None:
        self._bytes += (size := document.size) - document.counted
        document.counted = size
        while self._bytes > MAX_BYTES:
            _, gone = self._by_text.popitem(last=False)
            self._bytes -= gone.counted
            gone.counted = 0

    def _collect(self, characters: int) -> None:
        self._read_characters += characters
        if self._read_characters > COLLECTED_CHARACTERS:
            self._read_characters = 0
            gc.collect()


def _rules(with_introspection: bool) -> tuple[type[ASTValidationRule], ...]:
    ours: dict[type[ASTValidationRule], type[ASTValidationRule]] = {
        OverlappingFieldsCanBeMergedRule: BoundedOverlap,
        VariablesInAllowedPositionRule: VariablesOfIds,
    }
    rules = [ours.get(rule, rule) for rule in specified_rules]
    return (*rules, *(() if with_introspection else (NoIntrospection,)))


def _refusal(problems: list[GraphQLError]) -> GraphQLError:
    if len(problems) == 1 and isinstance(problems[0], ValidationAbortedError):
        return GraphQLError(
            "The query asks for the same fields in too many places for us to compare them. "
            "Write each field once, or ask in several queries.",
            extensions={"code": "QUERY_TOO_LARGE", "limit": MAX_COMPARISONS},
        )
    return DocumentRefused(problems)


def _unlink(node: DocumentNode) -> None:
    """Part the text's tokens from those before them, a circle that would keep a document after its last use."""
    token = node.loc.start_token if node.loc is not None else None
    while token is not None:
        token.prev = None
        token = token.next
