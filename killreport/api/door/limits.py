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

from killreport.api.door.guard.weight import Weight, weigh
from killreport.config import Settings

MAX_QUERY_CHARACTERS = 20_000
MAX_BODY_BYTES = 100_000
# Checking whether fields of fragments conflict compares every fragment with every other.
MAX_FRAGMENTS = 60


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


def read_document(text: str) -> DocumentNode:
    """Return a document that was weighed. Raises GraphQLError where it is not GraphQL."""
    try:
        return parse(text, max_source_length=MAX_QUERY_CHARACTERS)
    except RecursionError:
        raise GraphQLError("The query is nested too deeply to be read.") from None


@dataclass(frozen=True, slots=True)
class _Size:
    """tops: fields that stand beside each other at the top."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    tops: int = 0

    def beside(self, other: _Size) -> _Size:
        return _Size(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.tops + other.tops,
        )


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
        size = measure.sum(operation.selection_set for operation in operations)
        self._check(size.beside(measure.unspread()), size.tops)
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
        total = _Size()
        for part in selections.selections if selections is not None else ():
            if isinstance(part, FieldNode):
                inner = self.size(part.selection_set)
                inner = _Size(inner.depth + 1, inner.fields + 1, inner.aliases + (part.alias is not None), 1)
            elif isinstance(part, InlineFragmentNode):
                inner = self.size(part.selection_set)
            elif isinstance(part, FragmentSpreadNode):
                inner = self._fragment_size(part.name.value)
            else:
                continue
            total = total.beside(inner)
        return total

    def _fragment_size(self, name: str) -> _Size:
        if name not in self._sizes:
            self._sizes[name] = _Size()
            self._sizes[name] = self.sum(self._fragments.get(name, ()))
        return self._sizes[name]
