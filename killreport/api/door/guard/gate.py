"""What every operation passes, on whatever transport: reading, validation, cost, the client's bucket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from graphql import (
    GraphQLError,
    GraphQLSchema,
    OperationType,
    get_variable_values,
)
from graphql.execution.values import VariableValues

from killreport.api.door.documents import MAX_ERRORS, Document, DocumentRefused, Documents
from killreport.api.door.guard.introspection import PRICE
from killreport.api.door.guard.operation import Operation
from killreport.api.door.guard.persisted import Persisted
from killreport.api.door.guard.readable import check_fit
from killreport.api.door.guard.responses import Key
from killreport.api.door.guard.turns import Turns
from killreport.clock import monotonic
from killreport.config import Settings
from killreport.coordination.rate_limit import Buckets, Grant
from killreport.door.client import Client

# What a request costs that is refused or found in the memory: small, and not nothing.
MIN_COST = 1
# Of one operation, of variables that take so many bytes at most.
REMEMBERED_COSTS = 1_000
MAX_VARIABLES = 200
# Reading variables takes as long as reading a document: so many bytes are in the price of every request.
FREE_VARIABLES = 2_000
BYTES_FOR_ONE = 50
# How long an event may wait for its price.
MAX_WAIT_SECONDS = 60.0
_DETERMINISTIC = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class Admitted:
    """A valid operation and how it was asked. key: equal for requests that must have equal answers.

    known_cost: where it had to be worked out already.
    """

    data: Mapping[str, Any]
    document: Document
    operation: Operation
    key: Key
    known_cost: int | None = None


class Gate:
    """Reads, checks and prices operations of one schema. buckets: set while the application runs."""

    buckets: Buckets

    def __init__(self, settings: Settings, schema: GraphQLSchema, documents: Documents) -> None:
        self._schema = schema
        self._documents = documents
        self._with_introspection = settings.api_introspection
        self._max_cost = settings.api_max_cost
        self._burst = settings.api_rate_burst
        self._is_limited = self._burst > 0
        self._persisted = Persisted()
        self._turns = Turns(settings.api_timeout_seconds)

    async def admit(self, client: Client, data: Any, *, is_get: bool = False) -> Admitted:
        """Return the operation of a request; a document that is not remembered is paid for before it is read.

        Raises GraphQLError (Refused for several mistakes, RateLimited) where there is none. is_get: nothing but queries
        may be asked so, or a foreign page could change something by a link.
        """
        check_fit(data, "request")
        data = self._persisted.resolve(data)
        document = await self._read(client, data["query"])
        self._persisted.keep(data)
        name = data.get("operationName") or None
        operation = document.operation(name)
        if is_get and operation.node.operation is OperationType.MUTATION:
            raise GraphQLError("Mutations must be posted.", extensions={"code": "METHOD_NOT_ALLOWED"})
        key = document.digest, name, _DETERMINISTIC.encode(data.get("variables") or None)
        admitted = Admitted(data, document, operation, key)
        if len(key[2]) <= FREE_VARIABLES or document.asks_for_schema:
            return admitted
        await self._pay(client, (len(key[2]) - FREE_VARIABLES) // BYTES_FOR_ONE)
        async with self._turns.turn():
            return replace(admitted, known_cost=self._work_out(admitted))

    def cost(self, admitted: Admitted) -> int:
        """Return what it costs. Raises GraphQLError: QUERY_TOO_COSTLY beyond the limit, Refused for its variables."""
        if admitted.document.asks_for_schema:
            return MIN_COST if admitted.document.schema_answer else PRICE
        # Equal requests cost the same, and reading the variables takes as long as a statement.
        variables, costs = admitted.key[2], admitted.operation.costs
        cost = costs.get(variables) if admitted.known_cost is None else admitted.known_cost
        if cost is None:
            cost = self._work_out(admitted)
            if len(variables) <= MAX_VARIABLES:
                if len(costs) >= REMEMBERED_COSTS:
                    costs.clear()
                costs[variables] = cost
        self.check_cost(cost)
        return cost

    def _work_out(self, admitted: Admitted) -> int:
        self._documents.settle(admitted.document)
        return admitted.operation.cost(self._coerced(admitted))

    def _coerced(self, admitted: Admitted) -> VariableValues:
        """Return the variables as the operation will read them: 200.0 is 200, and one value of a list a list."""
        found = get_variable_values(
            self._schema,
            admitted.operation.node.variable_definitions or (),
            admitted.data.get("variables") or {},
            MAX_ERRORS,
            hide_suggestions=not self._with_introspection,
        )
        if isinstance(found, list):
            raise DocumentRefused(found)
        return found

    def check_cost(self, cost: int) -> None:
        """Raise GraphQLError (QUERY_TOO_COSTLY) where one request costs more than it may."""
        if cost > self._max_cost:
            raise GraphQLError(
                f"A request may cost {self._max_cost}; this one would cost {cost}. "
                "Ask for smaller pages (`first`), or leave out lists inside lists.",
                extensions={"code": "QUERY_TOO_COSTLY", "limit": self._max_cost, "value": cost},
            )

    async def take_later(self, client: Client, cost: int) -> None:
        """Take the cost as soon as the bucket has it; raises RateLimited where that is not in MAX_WAIT_SECONDS."""
        until = monotonic() + MAX_WAIT_SECONDS
        while True:
            try:
                await self._pay(client, cost)
            except RateLimited as error:
                if monotonic() + error.grant.retry_after > until:
                    raise
                await asyncio.sleep(error.grant.retry_after)
            else:
                return

    async def _pay(self, client: Client, cost: int) -> None:
        if cost > 0:
            await self.take(client, cost)

    async def take(self, client: Client, cost: int) -> Grant | None:
        """Take the cost out of the client's bucket; None where it has none. Raises RateLimited."""
        if not self._is_limited or not client.is_limited:
            return None
        grant = await self.buckets.take(client.key, cost)
        if not grant.is_allowed:
            raise RateLimited(grant, cost)
        return grant

    async def give_back(self, client: Client, taken: int, used: int) -> Grant | None:
        """Put back what was taken for more than there was."""
        if not self._is_limited or not client.is_limited:
            return None
        # More than a whole bucket was never taken.
        unused = min(taken, self._burst) - min(used, self._burst)
        return await self.buckets.give_back(client.key, unused)

    async def _read(self, client: Client, text: str) -> Document:
        known = self._documents.find(text)
        if known is not None:
            return known
        weight = self._documents.limits.weigh(text)
        await self._pay(client, weight.price)
        async with self._turns.turn():
            # Somebody before us may have asked the same.
            return self._documents.find(text) or self._documents.read(text, weight)


class RateLimited(GraphQLError):
    """The client's bucket does not hold what the request costs."""

    def __init__(self, grant: Grant, cost: int) -> None:
        super().__init__(
            f"This costs {cost}, and your bucket holds {grant.left}. Try again in {grant.retry_after} s.",
            extensions={"code": "RATE_LIMITED", "retryAfter": grant.retry_after},
        )
        self.grant = grant
