"""Where worker-user-killmails has a player's token from; no message and no log ever holds one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from killreport.errors import NotFound, Permanent


@dataclass(frozen=True)
class AccountToken:
    """Whose killmails an account lets us read, and with what. The token is not shown when this is printed."""

    character_id: int
    access_token: str = field(repr=False)


class TokenSource(Protocol):
    """Gives tokens that are valid now."""

    async def token_of(self, account_id: int) -> AccountToken:
        """Return the account's token. Raises NotFound, Refused where its owner took it back, Transient."""


class NoTokens:
    """The source of an installation nobody can log in to."""

    async def token_of(self, account_id: int) -> AccountToken:
        """Raise Permanent."""
        raise Permanent(f"This installation has no login, so account {account_id} has no token.")


class FixedTokens:
    """A source of tokens that are known beforehand: for tests and the simulator."""

    def __init__(self, tokens: Mapping[int, AccountToken]) -> None:
        self._tokens = tokens

    async def token_of(self, account_id: int) -> AccountToken:
        """Return the token. Raises NotFound for an account that has none."""
        if account_id not in self._tokens:
            raise NotFound(f"There is no account {account_id}.")
        return self._tokens[account_id]
