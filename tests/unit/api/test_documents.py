"""Documents, remembered once they passed."""

from __future__ import annotations

import gc

import pytest
from graphql import GraphQLError, execute, print_ast

from killreport.api.door import documents as module
from killreport.api.door.documents import Document, DocumentRefused, Documents
from killreport.api.door.limits import Limits
from killreport.api.engine.executor import BatchExecutor
from killreport.api.schema import build_schema

SCHEMA = build_schema()


@pytest.fixture
def documents() -> Documents:
    return Documents(SCHEMA)


def ask(documents: Documents, text: str) -> Document:
    return documents.find(text) or documents.read(text, documents.limits.weigh(text))


def problems(documents: Documents, text: str) -> list[str]:
    """Return what is wrong with the query."""
    try:
        ask(documents, text)
    except DocumentRefused as error:
        return [one.message for one in error.errors]
    return []


def test_a_known_document_is_read_once(documents: Documents) -> None:
    assert ask(documents, "{ status { killmailCount } }") is ask(documents, "{ status { killmailCount } }")


def test_a_wrong_document_stays_wrong(documents: Documents) -> None:
    for _ in range(2):
        assert problems(documents, "{ nonsense }") == ["Cannot query field 'nonsense' on type 'Query'."]


def test_a_forgotten_document_is_checked_again(documents: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 2 * (module.DOCUMENT_BYTES + 40 * module.CHARACTER_BYTES))
    for number in range(200):
        assert problems(documents, f"{{ s{number}: status {{ killmailCount }} }}") == []
        gc.collect(0)
        assert problems(documents, f"{{ s{number}: nonsense }}") == ["Cannot query field 'nonsense' on type 'Query'."]


def test_no_more_is_remembered_than_there_is_room_for(documents: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 3 * (module.DOCUMENT_BYTES + 33 * module.CHARACTER_BYTES))
    texts = [f"{{ s{number}: status {{ killmailCount }} }}" for number in range(5)]
    for text in texts:
        ask(documents, text)
    assert [documents.find(text) is not None for text in texts] == [False, False, True, True, True]


def test_what_was_made_of_a_document_counts_too(documents: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (f"{{ s{number}: status {{ killmailCount }} }}" for number in range(2))
    used = ask(documents, first)
    monkeypatch.setattr(module, "MAX_BYTES", used.size * 2)
    ask(documents, second)
    assert documents.find(first) is used
    used.operation(None).costs[b"null"] = 1
    documents.settle(used)
    assert [documents.find(text) is not None for text in (first, second)] == [True, False]


def test_what_the_engine_made_of_a_document_goes_with_it(documents: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    used = ask(documents, "{ __schema { types { name kind } } }")
    plans = used.operation(None).plans
    before = used.size
    result = execute(SCHEMA, used.node, executor_class=BatchExecutor, plans=plans)
    assert not hasattr(result, "__await__")
    assert used.size == before + plans.field_count * module.PLANNED_FIELD_BYTES == before + 8_000
    monkeypatch.setattr(module, "MAX_BYTES", used.size - 1)
    documents.settle(used)
    assert documents.find("{ __schema { types { name kind } } }") is None


def count_tokens() -> int:
    return sum(type(found).__name__ == "Token" for found in gc.get_objects())


def test_a_document_nobody_holds_is_gone_without_the_collector(documents: Documents) -> None:
    text = "{ status { killmailCount } }" + " " * module.MAX_REMEMBERED
    gc.collect()
    before = count_tokens()
    gc.disable()
    try:
        read = ask(documents, text)
        gc.collect()  # what checking left
        assert count_tokens() == before + 8
        assert read.digest == documents.limits.weigh(text).digest
        del read
        assert count_tokens() == before
    finally:
        gc.enable()


def test_documents_are_collected_after_so_many_characters(
    documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COLLECTED_CHARACTERS", 1_000)
    collected: list[None] = []
    monkeypatch.setattr(gc, "collect", lambda: collected.append(None))
    for number in range(100):
        problems(documents, f"{{ nonsense{number:03} " + " " * 90 + "}")
    assert len(collected) == 10


def test_size_is_told_before_anything_else(documents: Documents) -> None:
    many = " ".join(f"a{number}: status {{ nonsense }}" for number in range(11))
    assert problems(documents, f"{{ {many} }}") == [
        "A query may have 10 fields at its root; this one has 11. Spread them over several queries."
    ]


def test_so_many_mistakes_are_told_and_no_more_are_looked_for(documents: Documents) -> None:
    told = problems(documents, "{ status { " + " ".join(f"nonsense{number}" for number in range(50)) + " } }")
    assert len(told) == module.MAX_ERRORS + 1
    assert told[-1] == "Too many validation errors, error limit reached. Validation aborted."


def test_names_of_a_schema_that_is_not_shown_are_not_told_by_advice() -> None:
    for text in (
        "{ stats { killmialCount } killmial(id: 1) { id } }",
        "query ($o: KillmailOdrer) { killmail(id: 1) { id } }",
    ):
        assert any("Did you mean" in one for one in problems(Documents(SCHEMA), text))
        told = problems(Documents(SCHEMA, with_introspection=False), text)
        assert told
        assert not any("Did you mean" in one for one in told)


def test_what_was_read_is_what_was_written(documents: Documents) -> None:
    for text in ("{ status { killmailCount } }", "{ status { feedSequence } }"):
        assert " ".join(print_ast(ask(documents, text).node).split()) == text
    with pytest.raises(GraphQLError, match="Syntax Error"):
        ask(documents, "{")


def test_the_limits_that_were_given_are_kept() -> None:
    few = Documents(SCHEMA, Limits(tokens=5))
    with pytest.raises(GraphQLError, match="A query may have 5 names, numbers and signs; this one has 6"):
        ask(few, "{ status { killmailCount } }")
