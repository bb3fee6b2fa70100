"""Where tokens come from, and that they are never shown."""

from __future__ import annotations

import pytest

from killreport.errors import NotFound, Permanent
from killreport.workers.tokens import AccountToken, FixedTokens, NoTokens


def test_a_token_is_not_shown_when_it_is_printed() -> None:
    token = AccountToken(2_112_000_001, "secret")

    assert "secret" not in f"{token} {token!r}"


async def test_known_tokens_are_given_and_others_are_not_found() -> None:
    token = AccountToken(2_112_000_001, "secret")
    tokens = FixedTokens({7: token})

    assert await tokens.token_of(7) is token
    with pytest.raises(NotFound, match="no account 8"):
        await tokens.token_of(8)


async def test_where_nobody_can_log_in_there_are_no_tokens() -> None:
    with pytest.raises(Permanent, match="account 7 has no token"):
        await NoTokens().token_of(7)
