"""The GraphQL over HTTP specification, by the audit suite of its reference implementation."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.integration.serving import GraphQL
from tests.npm import installed

AUDIT = Path(__file__).with_name("audit.mjs")
# What the specification leaves open, and why it is so here.
WARNINGS: dict[str, str] = {}


async def run(*command: str, cwd: Path) -> tuple[int, str]:
    """Return the exit code and what the command printed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    return process.returncode or 0, (output or errors).decode()


async def test_the_audit_suite_of_graphql_over_http_passes(api: GraphQL, pytestconfig: pytest.Config) -> None:
    packages = (await asyncio.to_thread(installed, pytestconfig)).parent
    code, output = await run("node", str(AUDIT), f"{api.address}/graphql", cwd=packages)
    assert code == 0, output
    results = json.loads(output)

    assert len(results) > 50
    failed = {found["id"]: f"{found['name']}: {found['reason']}" for found in results if found["status"] != "ok"}
    unexplained = {audit: what for audit, what in failed.items() if audit not in WARNINGS}
    assert unexplained == {}
    assert failed.keys() == WARNINGS.keys()
