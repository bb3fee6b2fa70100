"""Which errors are the fault of what was to be stored."""

from __future__ import annotations

import asyncpg
import pytest

from killreport.db.database import is_refusal


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.StringDataRightTruncationError(), True),
        (asyncpg.CheckViolationError(), True),
        (asyncpg.ProgramLimitExceededError(), True),
        (asyncpg.DeadlockDetectedError(), False),
        (asyncpg.DiskFullError(), False),
        (asyncpg.UndefinedTableError(), False),
        (OverflowError("value out of int64 range"), True),
        (ValueError("value out of float32 range"), True),
        (ConnectionResetError(), False),
        (asyncpg.InterfaceError("the connection is closed"), False),
    ],
)
def test_a_refusal_is_told_from_a_database_that_is_not_well(error: Exception, expected: bool) -> None:
    assert is_refusal(error) is expected
