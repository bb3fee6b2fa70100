"""Hundreds of documents of strangers leave nothing behind, though the collector looks for garbage rarely."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from graphql import GraphQLError, execute

from killreport.api.door.documents import Documents
from killreport.api.engine.executor import BatchExecutor
from killreport.api.schema import build_schema
from killreport.cli.collector import YOUNG

DOCUMENTS = 400
# One of these takes 250 kB while it is checked; kept, they would take 100 MB.
MAX_GROWTH_BYTES = 60 * 2**20
SCHEMA = build_schema()


def resident_bytes() -> int:
    """Return how much memory this process holds now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def document(number: int, ending: str) -> str:
    """Return a document that nobody sent before, of 250 names and signs."""
    fields = " ".join(f"a{number}x{place}: name" for place in range(60))
    return f"query Q{number} {{ __schema {{ queryType {{ {fields} }} }} {ending} }}" + " " * 3_000


@pytest.mark.parametrize("ending", ["", "nonsense"], ids=["valid", "refused"])
def test_hundreds_of_documents_leave_nothing_behind(ending: str) -> None:
    documents = Documents(SCHEMA)
    thresholds = gc.get_threshold()
    gc.collect()
    gc.set_threshold(YOUNG, 20, 20)
    try:
        before = resident_bytes()
        for number in range(DOCUMENTS):
            text = document(number, ending)
            try:
                read = documents.read(text, documents.limits.weigh(text))
            except GraphQLError:
                assert ending
                continue
            result = execute(SCHEMA, read.node, executor_class=BatchExecutor)
            assert getattr(result, "errors", None) is None
        assert resident_bytes() - before < MAX_GROWTH_BYTES
    finally:
        gc.set_threshold(*thresholds)
