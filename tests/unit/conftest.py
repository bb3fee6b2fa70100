"""The unit ring opens no sockets."""

from __future__ import annotations

import pytest
import pytest_socket


@pytest.fixture(autouse=True)
def _no_sockets() -> None:
    # asyncio's own wake-up pair is a unix socket.
    pytest_socket.disable_socket(allow_unix_socket=True)
