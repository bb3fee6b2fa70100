"""The engine as graphql-core's executor, so that whatever serves graphql-core serves it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from graphql import ExecutionResult, Executor, GraphQLError, GraphQLSchema, OperationType

from killreport.api.engine.answer_cache import AnswerCache
from killreport.api.engine.plan import Plans
from killreport.api.engine.run import Run
from killreport.api.engine.shared import SharedEvent

T = TypeVar("T")

_PLANS, _ANSWERS = "engine.plans", "engine.answers"


class BatchExecutor(Executor[Any]):
    """Runs an operation breadth-first; graphql-core has chosen it and coerced its variables by then.

    Given as `executor_class` to `graphql.execute` and `graphql.subscribe`, for a schema whose resolvers were bound. It
    takes no middleware, no hooks and no abort signal: cancelling the task that awaits it cancels its resolvers.
    """

    def execute_operation(self, serially: bool | None = None) -> ExecutionResult | Awaitable[ExecutionResult]:
        """Return the result, or something to await where a resolver has to be waited for."""
        kind = self.operation.operation
        root_type = self.schema.get_root_type(kind)
        if root_type is None:
            message = f"Schema is not configured to execute {kind.value} operation."
            return ExecutionResult(None, [GraphQLError(message, self.operation)])
        try:
            plan = _extension(self.schema, _PLANS, Plans).plan(self, root_type)
            kept = _extension(self.schema, _ANSWERS, AnswerCache)
            event = self.root_value
            if isinstance(event, SharedEvent) and not plan.reads_variables_below:
                return self._guarded(event.answer(plan, self.context_value, lambda: Run(self, plan, kept).together()))
            run = Run(self, plan, kept)
            is_serial = kind is OperationType.MUTATION if serially is None else serially
            result = run.serially() if is_serial else run.together()
        except GraphQLError as error:
            return ExecutionResult(None, [error])
        except RecursionError:
            return self._too_deep()
        return result if isinstance(result, ExecutionResult) else self._guarded(result)

    async def _guarded(self, result: Awaitable[ExecutionResult]) -> ExecutionResult:
        try:
            return await result
        except RecursionError:
            return self._too_deep()

    def _too_deep(self) -> ExecutionResult:
        return ExecutionResult(None, [GraphQLError("Selections are nested too deeply.", self.operation)])


def _extension(schema: GraphQLSchema, key: str, make: Callable[[], T]) -> T:
    """Return what the schema carries under this key, made when first asked for."""
    found = schema.extensions.get(key)
    if found is None:
        found = schema.extensions[key] = make()
    return cast(T, found)
