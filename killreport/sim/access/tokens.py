"""Access tokens of the simulated SSO: they say whose they are, what they allow and until when, and are signed.

Nothing is remembered of them, so they outlive a restart; the same seed, character, scopes and end give the same token.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

import msgspec

LIFE_SECONDS = 1200


class Token(msgspec.Struct, frozen=True):
    """What a token says. expires_at: unix seconds."""

    character_id: int
    scopes: tuple[str, ...]
    expires_at: int


class TokenMint:
    """Makes and reads the tokens of one seed."""

    def __init__(self, seed: int) -> None:
        self._key = f"New Eden in a box, seed {seed}".encode()

    def issue(self, token: Token) -> str:
        """Return the token as a bearer carries it."""
        body = msgspec.json.encode(token)
        return ".".join(base64.urlsafe_b64encode(part).decode() for part in (body, self._signature(body)))

    def read(self, text: str) -> Token | None:
        """Return what the token says; None for one that was not made here, whether it has expired or not."""
        try:
            body, signature = (base64.urlsafe_b64decode(part) for part in text.split("."))
        except (ValueError, binascii.Error):
            return None
        if not hmac.compare_digest(signature, self._signature(body)):
            return None
        return msgspec.json.decode(body, type=Token)

    def _signature(self, body: bytes) -> bytes:
        return hmac.new(self._key, body, hashlib.sha256).digest()
