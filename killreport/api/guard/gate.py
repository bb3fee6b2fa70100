"""What every operation passes, on whatever transport: reading, validation, cost, the client's bucket."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from ariadne.graphql import validate_data, validate_query
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    print_ast,
)

from killreport.api.documents import LONGEST_REMEMBERED, REMEMBERED, Documents
from killreport.api.guard.cost import operation_cost
from killreport.api.guard.lifetime import Lifetime, operation_lifetime
from killreport.api.guard.persisted import NotFound, Persisted, wanted_hash
from killreport.api.guard.readable import check_fit
from killreport.api.guard.responses import Key
from killreport.cache.buckets import Buckets, Grant
from killreport.config import Settings
from killreport.door.client import Client

# What a request costs that is refused or found in the memory: small, and not nothing.
SMALLEST_COST = 1
# Bounds the memory of the costs: together well below a megabyte.
REMEMBERED_COSTS = 1_000
LONGEST_VARIABLES = 200
_DETERMINISTIC = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class Admitted:
    """A valid operation and what is known of it. key: equal for requests that must have equal answers."""

    data: Mapping[str, Any]
    document: DocumentNode
    operation: OperationDefinitionNode
    lifetime: Lifetime
    key: Key

    @property
    def is_subscription(self) -> bool:
        """Whether it goes on after its first answer."""
        return self.operation.operation is OperationType.SUBSCRIPTION


@dataclass(frozen=True, slots=True)
class _Known:
    document: DocumentNode
    digest: str
    operations: dict[str | None, tuple[OperationDefinitionNode, Lifetime]]


class Refused(GraphQLError):
    """Several mistakes of one document."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


class Misshapen(GraphQLError):
    """What was sent is no GraphQL request, whatever the media type."""


class Gate:
    """Reads, checks and prices operations of one schema. buckets: set while the application runs."""

    buckets: Buckets

    def __init__(self, settings: Settings, schema: GraphQLSchema, documents: Documents) -> None:
        self._schema = schema
        self._documents = documents
        self._introspection = settings.api_introspection
        self._max_cost = settings.api_max_cost
        self._is_limited = settings.api_rate_burst > 0
        self._persisted = Persisted()
        # Like the documents themselves: so many, and short ones only.
        self._known: OrderedDict[str, _Known] = OrderedDict()
        # Equal requests cost the same, and walking through the document takes as long as a statement.
        self._costs: dict[Key, int] = {}

    def admit(self, data: Any, *, is_get: bool = False) -> Admitted:
        """Return the operation of a request. Raises GraphQLError (Refused for several mistakes) where there is none.

        is_get: nothing but queries may be asked so, or a foreign page could change something by a link.
        """
        check_fit(data, "request")
        data = self._resolved(data)
        known = self._read(data)
        self._persisted.keep(data)
        operation, lifetime = self._operation(known, data.get("operationName") or None)
        if is_get and operation.operation is OperationType.MUTATION:
            raise GraphQLError("Mutations must be posted.", extensions={"code": "METHOD_NOT_ALLOWED"})
        key = known.digest, data.get("operationName") or None, _DETERMINISTIC.encode(data.get("variables") or None)
        return Admitted(data, known.document, operation, lifetime, key)

    def cost(self, admitted: Admitted) -> int:
        """Return what it costs. Raises GraphQLError (QUERY_TOO_COSTLY) beyond the limit."""
        cost = self._costs.get(admitted.key)
        if cost is None:
            variables = admitted.data.get("variables") or {}
            cost = operation_cost(self._schema, admitted.document, admitted.operation, variables)
            self._remember(admitted.key, cost)
        self.check_cost(cost)
        return cost

    def _remember(self, key: Key, cost: int) -> None:
        if len(key[2]) <= LONGEST_VARIABLES:
            if len(self._costs) >= REMEMBERED_COSTS:
                self._costs.clear()
            self._costs[key] = cost

    def check_cost(self, cost: int) -> None:
        """Raise GraphQLError (QUERY_TOO_COSTLY) where one request costs more than it may."""
        if cost > self._max_cost:
            raise GraphQLError(
                f"A request may cost {self._max_cost}; this one would cost {cost}. "
                "Ask for smaller pages (`first`), or leave out lists inside lists.",
                extensions={"code": "QUERY_TOO_COSTLY", "limit": self._max_cost, "value": cost},
            )

    async def take(self, client: Client, cost: int) -> Grant | None:
        """Take the cost out of the client's bucket; None where it has none. Raises RateLimited."""
        if not self._is_limited or not client.is_limited:
            return None
        grant = await self.buckets.take(client.key, cost)
        if not grant.is_allowed:
            raise RateLimited(grant, cost)
        return grant

    def _resolved(self, data: Any) -> Mapping[str, Any]:
        try:
            if isinstance(data, dict):
                wanted_hash(data)
                if data.get("query") is not None:
                    validate_data(data)
                data = self._persisted.resolve(data)
            validate_data(data)
        except NotFound:
            raise
        except GraphQLError as error:
            raise Misshapen(error.message, extensions=error.extensions) from None
        found: Mapping[str, Any] = data
        return found

    def _read(self, data: Mapping[str, Any]) -> _Known:
        text = data["query"]
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        document = self._documents.parse(None, dict(data))
        problems = validate_query(
            self._schema,
            document,
            enable_introspection=self._introspection,
            query_validator=self._documents.validate,  # type: ignore[arg-type]
        )
        if problems:
            raise Refused(problems)
        digest = hashlib.sha256(print_ast(document).encode("utf-8", "surrogatepass")).hexdigest()
        known = _Known(document, digest, {})
        if len(text) <= LONGEST_REMEMBERED:
            self._known[text] = known
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return known

    def _operation(self, known: _Known, name: str | None) -> tuple[OperationDefinitionNode, Lifetime]:
        found = known.operations.get(name)
        if found is None:
            operation = get_operation_ast(known.document, name)
            if operation is None:
                raise GraphQLError(
                    f"The document has no operation `{name}`."
                    if name
                    else "The document has several operations: name one in `operationName`."
                )
            found = operation, operation_lifetime(self._schema, known.document, operation)
            known.operations[name] = found
        return found


class RateLimited(GraphQLError):
    """The client's bucket does not hold what the request costs."""

    def __init__(self, grant: Grant, cost: int) -> None:
        super().__init__(
            f"This costs {cost}, and your bucket holds {grant.left}. Try again in {grant.retry_after} s.",
            extensions={"code": "RATE_LIMITED", "retryAfter": grant.retry_after},
        )
        self.grant = grant
