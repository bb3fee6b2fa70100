"""Limits on what one request may ask, checked before anything runs.

They count the whole document: all its operations and all its fragments, since all of it is checked whichever operation
runs. Fragments count as often as they are spread, so that a few hundred bytes cannot ask for millions of fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from graphql import (
    BREAK,
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VisitorAction,
    parse,
)

from killreport.api.door.guard.weight import Weight, count_values, weigh
from killreport.config import Settings

MAX_QUERY_CHARACTERS = 20_000
MAX_BODY_BYTES = 100_000
# Checking whether fields of fragments conflict compares every fragment with every other.
MAX_FRAGMENTS = 60

# A filter with all its conditions has 2,000; reading one of its objects takes 10 µs, and each is read twice.
MAX_VALUES = 3_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a document may ask; the defaults are those of the settings.

    depth: GraphQL clients ask for the schema with about 15 levels and 150 fields. tokens: they and the site ask with
    at most 400; checking one takes up to 30 µs.
    """

    depth: int = 18
    fields: int = 1_000
    aliases: int = 100
    root_fields: int = 10
    tokens: int = 2_000
    directives: int = 50

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Return the limits that the settings name."""
        return cls(
            settings.api_max_depth,
            settings.api_max_fields,
            settings.api_max_aliases,
            settings.api_max_root_fields,
            settings.api_max_tokens,
            settings.api_max_directives,
        )

    def weigh(self, text: str) -> Weight:
        """Return what a document weighs. Raises GraphQLError (QUERY_TOO_LARGE) where that is too much to be read."""
        if len(text) > MAX_QUERY_CHARACTERS:
            raise _too_large(MAX_QUERY_CHARACTERS, len(text), "characters", "Use fragments and variables.")
        weight = weigh(text)
        if weight.tokens > self.tokens:
            advice = "Send lists as variables, or ask in several queries."
            raise _too_large(self.tokens, weight.tokens, "names, numbers and signs", advice)
        if weight.directives > self.directives:
            raise _too_large(self.directives, weight.directives, "directives", "Leave out what is not wanted.")
        return weight


def check_values(data: Any) -> None:
    """Raise GraphQLError (QUERY_TOO_LARGE) where a request has too many values in it, whatever they mean."""
    if count_values(data, MAX_VALUES) > MAX_VALUES:
        message = f"The variables of a request may have {MAX_VALUES} values in them; this one has more. Ask for fewer."
        raise GraphQLError(message, extensions={"code": "QUERY_TOO_LARGE", "limit": MAX_VALUES})


def read_document(text: str) -> DocumentNode:
    """Return a document that was weighed. Raises GraphQLError where it is not GraphQL."""
    try:
        return parse(text, max_source_length=MAX_QUERY_CHARACTERS)
    except RecursionError:
        raise GraphQLError("The query is nested too deeply to be read.") from None


@dataclass(frozen=True, slots=True)
class _Size:
    depth: int = 0
    fields: int = 0
    aliases: int = 0

    def beside(self, other: _Size) -> _Size:
        return _Size(max(self.depth, other.depth), self.fields + other.fields, self.aliases + other.aliases)


class SizeLimit(ASTValidationRule):
    """Refuses documents that are too deep, have too many fields or aliases, or too many fields at the root."""

    limits = Limits()

    def enter_document(self, node: DocumentNode, *_args: Any) -> VisitorAction:
        """Measure the document; nothing else of it has to be visited."""
        fragments = [part for part in node.definitions if isinstance(part, FragmentDefinitionNode)]
        if len(fragments) > MAX_FRAGMENTS:
            self.report_error(_too_large(MAX_FRAGMENTS, len(fragments), "fragments", "Write short ones out."))
        operations = [part for part in node.definitions if isinstance(part, OperationDefinitionNode)]
        measure = _Measure(fragments)
        size = measure.sum(operation.selection_set for operation in operations).beside(measure.unspread())
        roots = sum(measure.root_fields(operation.selection_set) for operation in operations)
        self._check(size, roots)
        return BREAK

    def _check(self, size: _Size, root_fields: int) -> None:
        limits = self.limits
        for limit, value, what, advice in (
            (limits.depth, size.depth, "levels", "Ask for what lies deeper by its id, in a second query."),
            (limits.fields, size.fields, "fields in all", "Ask for fewer, or in several queries."),
            (limits.aliases, size.aliases, "aliases", "Use fewer, or several queries."),
            (limits.root_fields, root_fields, "fields at its root", "Spread them over several queries."),
        ):
            if value > limit:
                self.report_error(_too_large(limit, value, what, advice))


def size_limit(limits: Limits) -> type[SizeLimit]:
    """Return the rule with limits of one's own."""
    return type("SizeLimit", (SizeLimit,), {"limits": limits})


def _too_large(limit: int, value: int, what: str, advice: str) -> GraphQLError:
    message = f"A query may have {limit} {what}; this one has {value}. {advice}"
    return GraphQLError(message, extensions={"code": "QUERY_TOO_LARGE", "limit": limit, "value": min(value, 2**53)})


class _Measure:
    """Sizes of selections; every fragment is measured once, a fragment inside itself counts nothing (it is refused)."""

    def __init__(self, fragments: Iterable[FragmentDefinitionNode]) -> None:
        # Of fragments of one name, which are refused, every one is read.
        self._fragments: dict[str, list[SelectionSetNode]] = {}
        for fragment in fragments:
            self._fragments.setdefault(fragment.name.value, []).append(fragment.selection_set)
        self._sizes: dict[str, _Size] = {}
        self._roots: dict[str, int] = {}

    def sum(self, several: Iterable[SelectionSetNode]) -> _Size:
        """Return the size of several selections side by side."""
        total = _Size()
        for selections in several:
            total = total.beside(self.size(selections))
        return total

    def unspread(self) -> _Size:
        """Return the size of the fragments that nothing measured so far spreads."""
        return self.sum(
            selections for name, several in self._fragments.items() if name not in self._sizes for selections in several
        )

    def size(self, selections: SelectionSetNode | None) -> _Size:
        """Return how deep the selections go and how many fields they have, with fragments spread."""
        depth = fields = aliases = 0
        for part in selections.selections if selections is not None else ():
            if isinstance(part, FieldNode):
                inner = self.size(part.selection_set)
                inner = _Size(inner.depth + 1, inner.fields + 1, inner.aliases + (part.alias is not None))
            elif isinstance(part, InlineFragmentNode):
                inner = self.size(part.selection_set)
            elif isinstance(part, FragmentSpreadNode):
                inner = self._fragment_size(part.name.value)
            else:
                continue
            depth, fields, aliases = max(depth, inner.depth), fields + inner.fields, aliases + inner.aliases
        return _Size(depth, fields, aliases)

    def _fragment_size(self, name: str) -> _Size:
        if name not in self._sizes:
            self._sizes[name] = _Size()
            self._sizes[name] = self.sum(self._fragments.get(name, ()))
        return self._sizes[name]

    def root_fields(self, selections: SelectionSetNode) -> int:
        """Return how many fields stand at the top of the selections, with fragments spread."""
        count = 0
        for part in selections.selections:
            if isinstance(part, FieldNode):
                count += 1
            elif isinstance(part, InlineFragmentNode):
                count += self.root_fields(part.selection_set)
            elif isinstance(part, FragmentSpreadNode):
                count += self._fragment_root_fields(part.name.value)
        return count

    def _fragment_root_fields(self, name: str) -> int:
        if name not in self._roots:
            self._roots[name] = 0
            self._roots[name] = sum(map(self.root_fields, self._fragments.get(name, ())))
        return self._roots[name]
