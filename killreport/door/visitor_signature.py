"""For whom the site asks: the visitor's address, signed with a secret of the two services.

The signature is an HMAC-SHA256 of the address, so that the secret itself is never sent. The secret is a setting, or
a file in the home folder that the first of the two services to need it makes.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from killreport.clock import monotonic
from killreport.config import Settings

VISITOR_HEADER = "x-killreport-visitor"
SIGNATURE_HEADER = "x-killreport-signature"
# What the site gives as the visitor where it asks for itself.
FLEET = "fleet"
FILE_NAME = "site.secret"
_SECRET_BYTES = 32
# How soon a file that does not fit is read again: the other service may have made a new one.
_AGAIN_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class VisitorSigner:
    """Signs and verifies. The secret is read, or made, when it is first needed."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = monotonic) -> None:
        given = settings.fleet_secret
        self._path = None if given is not None else settings.home.absolute() / "fleet" / FILE_NAME
        self._secret = None if given is None else given.get_secret_value().encode()
        self._clock = clock
        self._read_at = 0.0

    def headers(self, visitor: str) -> dict[str, str]:
        """Return the headers of a request that is made for this visitor."""
        return {VISITOR_HEADER: visitor, SIGNATURE_HEADER: self._made(visitor)}

    def visitor(self, headers: Mapping[str, str]) -> str | None:
        """Return for whom a request is made; None where it does not say, or the signature is wrong."""
        visitor, signature = headers.get(VISITOR_HEADER), headers.get(SIGNATURE_HEADER)
        if visitor is None or signature is None:
            return None
        if self._fits(visitor, signature):
            return visitor
        if self._path is None or self._clock() - self._read_at < _AGAIN_SECONDS:
            return None
        self._secret = None
        return visitor if self._fits(visitor, signature) else None

    def _fits(self, visitor: str, signature: str) -> bool:
        return hmac.compare_digest(self._made(visitor).encode(), signature.encode("utf-8", "surrogateescape"))

    def _made(self, visitor: str) -> str:
        if self._secret is None:
            assert self._path is not None
            self._read_at = self._clock()
            self._secret = read_or_make(self._path)
        return hmac.new(self._secret, visitor.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


def read_or_make(path: Path) -> bytes:
    """Return the secret of the file, made where there is none; readable by its owner alone.

    Where no file can be made, a secret that nobody else has: visitors then share one bucket, and none gets round it.
    """
    try:
        return _read(path) or _make(path)
    except OSError as error:
        _log.warning("site_secret_not_kept", path=str(path), reason=error.strerror or str(error))
        return secrets.token_bytes(_SECRET_BYTES)


def _read(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            os.fchmod(file.fileno(), 0o600)
        text = file.read(1_000).strip()
    # One that was cut short, by a full disk or by hand, is no secret.
    return text if len(text) >= 2 * _SECRET_BYTES else None


def _make(path: Path) -> bytes:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    spare = path.with_name(f"{path.name}.{os.getpid()}")
    text = secrets.token_hex(_SECRET_BYTES).encode()
    try:
        descriptor = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            # One that could not be used: replaced whole.
            spare.replace(path)
            return text
        # Of two services that begin at once, one makes it, and both read that one.
        with suppress(FileExistsError):
            os.link(spare, path)
        return _read(path) or text
    finally:
        spare.unlink(missing_ok=True)
