"""Reading and checking query documents, and remembering those that passed: the site asks the same few all the time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Any

from graphql import ASTValidationRule, DocumentNode, GraphQLError, GraphQLSchema, validate

from killreport.api.guard.readable import FitLiterals
from killreport.api.limits import Limits, parse_limited, size_limit

# Bounds the memory that strangers' documents can take: together a few megabytes.
REMEMBERED = 100
LONGEST_REMEMBERED = 5_000


class Documents:
    """Parses and validates for one schema; the two are given to Ariadne as its parser and validator."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._size_limit = size_limit(limits or Limits())
        self._by_text: OrderedDict[str, DocumentNode] = OrderedDict()
        # Only ids of documents that `_by_text` keeps alive, so an id cannot come to mean another document.
        self._valid: set[int] = set()

    def parse(self, context: Any, data: dict[str, Any]) -> DocumentNode:
        """Return the document of the request. Raises GraphQLError where it is too long or not GraphQL."""
        text = data["query"]
        known = self._by_text.get(text)
        if known is not None:
            self._by_text.move_to_end(text)
            return known
        document = parse_limited(context, data)
        if len(text) <= LONGEST_REMEMBERED:
            self._by_text[text] = document
            if len(self._by_text) > REMEMBERED:
                self._valid.discard(id(self._by_text.popitem(last=False)[1]))
        return document

    def validate(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        rules: Collection[type[ASTValidationRule]] | None = None,
        max_errors: int | None = None,
        **_unused: Any,
    ) -> list[GraphQLError]:
        """Return what is wrong; the size is checked first, since other rules take long on a large document."""
        if id(document) in self._valid:
            return []
        problems = validate(schema, document, [self._size_limit, FitLiterals]) or validate(
            schema, document, rules, max_errors
        )
        if not problems and any(known is document for known in self._by_text.values()):
            self._valid.add(id(document))
        return problems
