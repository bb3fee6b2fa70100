"""Programs of others that some tests need: found, or the test is skipped; missing where all are promised, it fails."""

from __future__ import annotations

import shutil

import pytest

from tests.conftest import REQUIRES_SERVICES


def find_program(name: str) -> str:
    """Return the program's path; skips the test where it is not installed."""
    path = shutil.which(name)
    if path is None:
        assert not REQUIRES_SERVICES, f"KILLREPORT_TEST_REQUIRE_SERVICES is set, and {name} is not installed"
        pytest.skip(f"{name} is not installed")
    return path
