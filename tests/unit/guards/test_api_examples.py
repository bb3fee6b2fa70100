"""The GraphQL in `docs/howto/use-the-api.md` is valid for the schema, and its Python is Python."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import parse, validate

from killreport.api.schema import build_schema

PAGE = (Path(__file__).parents[3] / "docs/howto/use-the-api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def graphql_documents() -> list[str]:
    """Return every document on the page: blocks of its own, and those within programs and commands."""
    documents = [text for language, text in BLOCKS if language == "graphql"]
    for language, text in BLOCKS:
        quoted = {"python": r'QUERY = """(.*?)"""', "javascript": r"query = `(.*?)`", "sh": r'{"query": "(.*?)"}'}
        documents += re.findall(quoted.get(language, "(?!)"), text, re.DOTALL)
    return documents


def test_the_page_has_examples_of_every_language() -> None:
    assert {language for language, _ in BLOCKS} == {"graphql", "javascript", "js", "json", "python", "sh"}
    assert len(graphql_documents()) == 9


@pytest.mark.parametrize("document", graphql_documents())
def test_a_graphql_example_is_valid(document: str) -> None:
    assert validate(build_schema(), parse(document)) == []


@pytest.mark.parametrize("program", [text for language, text in BLOCKS if language == "python"])
def test_a_python_example_compiles(program: str) -> None:
    compile(program, "example", "exec")
