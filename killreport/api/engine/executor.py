"""The engine as graphql-core's executor, so that whatever serves graphql-core serves it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from graphql import ExecutionResult, Executor, GraphQLError, GraphQLSchema, OperationType

from killreport.api.engine.answer_cache import AnswerCache
from killreport.api.engine.plan import Plans
from killreport.api.engine.run import Run
from killreport.api.engine.shared import SharedEvent

_ANSWERS = "engine.answers"


class BatchExecutor(Executor[Any]):
    """Runs an operation breadth-first; graphql-core has chosen it and coerced its variables by then.

    Given as `executor_class` to `graphql.execute` and `graphql.subscribe`, for a schema whose resolvers were bound. It
    takes no middleware, no hooks and no abort signal: cancelling the task that awaits it cancels its resolvers.
    """

    def __init__(self, *given: Any, plans: Plans | None = None, **others: Any) -> None:
        """plans: those of the operation, where it is run more than once."""
        super().__init__(*given, **others)
        self._plans = plans or Plans()

    def execute_operation(self, serially: bool | None = None) -> ExecutionResult | Awaitable[ExecutionResult]:
        """Return the result, or something to await where a resolver has to be waited for."""
        kind = self.operation.operation
        root_type = self.schema.get_root_type(kind)
        if root_type is None:
            message = f"Schema is not configured to execute {kind.value} operation."
            return ExecutionResult(None, [GraphQLError(message, self.operation)])
        try:
            plan = self._plans.plan(self, root_type)
            kept = _answers(self.schema)
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


def _answers(schema: GraphQLSchema) -> AnswerCache:
    """Return what the schema carries, made when first asked for."""
    found: AnswerCache | None = schema.extensions.get(_ANSWERS)
    if found is None:
        found = schema.extensions[_ANSWERS] = AnswerCache()
    return found
