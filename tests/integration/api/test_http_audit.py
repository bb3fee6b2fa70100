"""The GraphQL over HTTP specification, by the audit suite of its reference implementation."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import REQUIRES_SERVICES
from tests.integration.serving import GraphQL

AUDIT = Path(__file__).with_name("audit.mjs")
PACKAGES = ("graphql-http@1.23.1", "graphql@16.11.0")
# What the specification leaves open, and why it is so here.
WARNINGS: dict[str, str] = {}


async def run(*command: str, cwd: Path) -> tuple[int, str]:
    """Return the exit code and what the command printed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    return process.returncode or 0, (output or errors).decode()


@pytest.fixture
async def packages(tmp_path: Path) -> Path:
    """Return a folder with the audit suite; skips the test where there is no Node.js or no registry."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        assert not REQUIRES_SERVICES, "node and npm are not installed"
        pytest.skip("node and npm are not installed")
    folder = tmp_path / "audit"
    folder.mkdir()
    code, output = await run("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES, cwd=folder)
    if code != 0:
        assert not REQUIRES_SERVICES, output
        pytest.skip(f"npm cannot install the audit suite: {output}")
    return folder


async def test_the_audit_suite_of_graphql_over_http_passes(api: GraphQL, packages: Path) -> None:
    code, output = await run("node", str(AUDIT), f"{api.address}/graphql", cwd=packages)
    assert code == 0, output
    results = json.loads(output)

    assert len(results) > 50
    failed = {found["id"]: f"{found['name']}: {found['reason']}" for found in results if found["status"] != "ok"}
    unexplained = {audit: what for audit, what in failed.items() if audit not in WARNINGS}
    assert unexplained == {}
    assert failed.keys() == WARNINGS.keys()
