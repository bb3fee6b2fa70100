"""Limits on what one request may ask, checked before anything runs.

Fragments count as often as they are spread, so that a few hundred bytes cannot ask for millions of fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

from killreport.config import Settings

MAX_QUERY_CHARACTERS = 20_000
MAX_BODY_BYTES = 100_000
# Checking whether fields of fragments conflict compares every fragment with every other.
MAX_FRAGMENTS = 60
MAX_TOKENS = 5_000


def parse_limited(_context: Any, data: dict[str, Any]) -> DocumentNode:
    """Return the parsed query. Raises GraphQLError where its text is too long or not GraphQL."""
    query = data["query"]
    if len(query) > MAX_QUERY_CHARACTERS:
        raise GraphQLError(
            f"A query may have {MAX_QUERY_CHARACTERS} characters; this one has {len(query)}. "
            "Use fragments and variables.",
            extensions={"code": "QUERY_TOO_LARGE", "limit": MAX_QUERY_CHARACTERS, "value": len(query)},
        )
    try:
        return parse(query, max_tokens=MAX_TOKENS)
    except RecursionError:
        raise GraphQLError("The query is nested too deeply to be read.") from None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a query may ask; the defaults are those of the settings.

    depth: GraphQL clients ask for the schema with about 15 levels and 150 fields.
    """

    depth: int = 18
    fields: int = 1_000
    aliases: int = 100
    root_fields: int = 10

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Return the limits that the settings name."""
        return cls(
            settings.api_max_depth, settings.api_max_fields, settings.api_max_aliases, settings.api_max_root_fields
        )


@dataclass(frozen=True, slots=True)
class _Size:
    depth: int
    fields: int
    aliases: int = 0


class SizeLimit(ASTValidationRule):
    """Refuses operations that are too deep, have too many fields or aliases, or too many fields at the root."""

    limits = Limits()

    def enter_document(self, node: DocumentNode, *_args: Any) -> None:
        """Measure every operation of the document."""
        fragments = {part.name.value: part for part in node.definitions if isinstance(part, FragmentDefinitionNode)}
        if len(fragments) > MAX_FRAGMENTS:
            self._refuse(node, MAX_FRAGMENTS, len(fragments), "fragments", "Write short ones out.")
        measure = _Measure(fragments)
        for part in node.definitions:
            if isinstance(part, OperationDefinitionNode):
                self._check(part, measure.size(part.selection_set), measure.root_fields(part.selection_set))

    def _check(self, node: OperationDefinitionNode, size: _Size, root_fields: int) -> None:
        limits = self.limits
        for limit, value, what, advice in (
            (limits.depth, size.depth, "levels", "Ask for what lies deeper by its id, in a second query."),
            (limits.fields, size.fields, "fields in all", "Ask for fewer, or in several queries."),
            (limits.aliases, size.aliases, "aliases", "Use fewer, or several queries."),
            (limits.root_fields, root_fields, "fields at its root", "Spread them over several queries."),
        ):
            if value > limit:
                self._refuse(node, limit, value, what, advice)

    def _refuse(self, node: Node, limit: int, value: int, what: str, advice: str) -> None:
        message = f"A query may have {limit} {what}; this one has {value}. {advice}"
        extensions = {"code": "QUERY_TOO_LARGE", "limit": limit, "value": min(value, 2**53)}
        self.report_error(GraphQLError(message, node, extensions=extensions))


def size_limit(limits: Limits) -> type[SizeLimit]:
    """Return the rule with limits of one's own."""
    return type("SizeLimit", (SizeLimit,), {"limits": limits})


class _Measure:
    """Sizes of selections; every fragment is measured once, a fragment inside itself counts nothing (it is refused)."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._sizes: dict[str, _Size] = {}
        self._roots: dict[str, int] = {}

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
            self._sizes[name] = _Size(0, 0)
            fragment = self._fragments.get(name)
            self._sizes[name] = self.size(fragment.selection_set if fragment is not None else None)
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
            fragment = self._fragments.get(name)
            self._roots[name] = 0 if fragment is None else self.root_fields(fragment.selection_set)
        return self._roots[name]
