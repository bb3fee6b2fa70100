"""One run of an operation: columns are had level by level on the way down, and assembled on the way up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from inspect import isawaitable
from typing import Any, cast

from graphql import ExecutionResult, Executor
from graphql.execution.values import get_argument_values
from graphql.pyutils import is_iterable

from killreport.api.engine.answer_cache import AnswerCache
from killreport.api.engine.columns import Batch, CompletedColumn, Failed, RunErrors
from killreport.api.engine.descent import Descent
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.places import Places, Under
from killreport.api.engine.plan import FieldPlan, OperationPlan
from killreport.api.engine.registry import type_resolver

_Continue = Callable[[Any], None]


class Run:
    """Everything of one run; used once."""

    def __init__(self, executor: Executor[Any], plan: OperationPlan, answers: AnswerCache) -> None:
        self._executor = executor
        self._root = Batch(plan.root, [executor.root_value], Places())
        self._faults = RunErrors()
        self._descent = Descent(self._faults, self._name_types, answers)
        self._ready = self._descent.ready
        self._waiting: list[tuple[Awaitable[Any], _Continue]] = []

    def together(self) -> ExecutionResult | Awaitable[ExecutionResult]:
        """Run all fields of the root at once; the result needs no waiting where no resolver did."""
        self._ready.append(self._root)
        self._go_down()
        return self._wait_and_finish() if self._waiting else self._finish()

    async def serially(self) -> ExecutionResult:
        """Run the fields of the root one after the other, and no more after one that makes the whole answer null."""
        columns = self._root.columns
        for position, field in enumerate(self._root.selection.fields):
            self._start(self._root, position, field)
            self._go_down()
            await self._wait()
            columns[position] = CompletedColumn(columns[position].assemble(self._faults))
            failed = columns[position].assemble(self._faults)[0]
            if isinstance(failed, Failed):
                self._faults.null(failed, ())
                self._let_go()
                return ExecutionResult(None, self._faults.errors())
        return self._finish()

    async def _wait_and_finish(self) -> ExecutionResult:
        await self._wait()
        return self._finish()

    def _finish(self) -> ExecutionResult:
        data = self._root.rows(self._faults)[0]
        if isinstance(data, Failed):
            self._faults.null(data, ())
            data = None
        self._let_go()
        return ExecutionResult(data, self._faults.errors() or None)

    def _let_go(self) -> None:
        """Part from the descent, which holds this run: or all of the answer's views would wait for the collector."""
        del self._descent

    def _go_down(self) -> None:
        while self._ready:
            batch = self._ready.pop()
            for position, field in enumerate(batch.selection.fields):
                self._start(batch, position, field)

    async def _wait(self) -> None:
        running: dict[asyncio.Task[Any], _Continue] = {}
        try:
            while self._waiting or running:
                if not running and len(self._waiting) == 1:
                    # The usual case needs no task: cancelling the run cancels what it awaits.
                    awaitable, go_on = self._waiting.pop()
                    go_on(await _outcome(awaitable))
                else:
                    running.update({asyncio.create_task(_outcome(one)): go_on for one, go_on in self._waiting})
                    self._waiting.clear()
                    done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        running.pop(task)(task.result())
                self._go_down()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _start(self, batch: Batch, position: int, field: FieldPlan) -> None:
        if field.is_attribute:
            self._descent.read(batch, position, field)
            return
        parents = batch.parents

        def go_on(results: Any) -> None:
            column = _checked(results, f"The resolver of {field.parent.name}.{field.name}", len(parents))
            places = Under(batch.places, field.key)
            batch.columns[position] = self._descent.complete(field, field.shape, column, places)

        self._soon(lambda: self._call(field, parents), go_on)

    def _soon(self, call: Callable[[], Any], go_on: _Continue) -> None:
        """Go on with what the call returns or raises, now or when it is there."""
        try:
            found = call()
        except Exception as error:
            found = error
        if isawaitable(found):
            self._waiting.append((found, go_on))
        else:
            go_on(found)

    def _call(self, field: FieldPlan, parents: Sequence[Any]) -> Any:
        arguments: dict[str, Any] = {}
        if field.definition.args:
            detail = field.details[0]
            variables = self._executor.variable_values
            arguments = get_argument_values(field.definition, detail.node, variables, detail.fragment_variable_values)
        info = self._info(field)
        if field.batch is not None:
            return field.batch(parents, info, **arguments)
        single = cast(Callable[..., Any], field.single)
        return [single(parent, info, **arguments) for parent in parents]

    def _name_types(
        self, field: FieldPlan, abstract: Any, values: Sequence[Any], take: Callable[[Sequence[Any]], None]
    ) -> None:
        """Hand the names of the values' types to `take`, now or when they are there."""
        name_types = type_resolver(abstract)
        self._soon(
            lambda: name_types(values, self._info(field)),
            lambda names: take(_checked(names, f"What names the types of {abstract}", len(values))),
        )

    def _info(self, field: FieldPlan) -> FieldInfo:
        executor = self._executor
        variables = executor.variable_values.coerced
        return FieldInfo(
            executor.context_value, variables, field.name, field.path, executor.schema, field.find_selected
        )


async def _outcome(awaitable: Awaitable[Any]) -> Any:
    try:
        return await awaitable
    except Exception as error:
        return error


def _checked(results: Any, what: str, count: int) -> Sequence[Any]:
    """Return one result a parent, whatever a resolver returned."""
    if isinstance(results, Exception):
        return [results] * count
    if not is_iterable(results):
        return [TypeError(f"{what} returned no sequence.")] * count
    column = results if isinstance(results, list | tuple) else list(results)
    if len(column) != count:
        return [TypeError(f"{what} returned {len(column)} results for {count} parents.")] * count
    return column
