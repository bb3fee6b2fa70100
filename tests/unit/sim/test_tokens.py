"""Tokens of the simulated SSO."""

from __future__ import annotations

import pytest

from killreport.sim.access.tokens import Token, TokenMint

TOKEN = Token(2_112_000_001, ("a.scope.v1",), 1_790_000_000)


def test_a_token_says_what_it_was_made_for() -> None:
    assert TokenMint(1).read(TokenMint(1).issue(TOKEN)) == TOKEN


def test_a_token_of_another_seed_says_nothing() -> None:
    assert TokenMint(2).read(TokenMint(1).issue(TOKEN)) is None


@pytest.mark.parametrize("text", ["", "x", "a.b", "a.b.c", "ä.ö", "=.=", "bnVsbA==.bnVsbA=="])
def test_what_is_no_token_says_nothing(text: str) -> None:
    assert TokenMint(1).read(text) is None


def test_a_token_that_was_tampered_with_says_nothing() -> None:
    text = TokenMint(1).issue(TOKEN)

    assert TokenMint(1).read("A" + text[1:]) is None
