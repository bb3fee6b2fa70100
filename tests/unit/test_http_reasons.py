"""Why a host did not answer, in words."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import cast

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from killreport.http import reason_of

KEY = cast(ConnectionKey, None)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(socket.EAI_NONAME, "Name or service not known")),
            "name not found",
        ),
        (
            aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(socket.EAI_AGAIN, "Temporary failure")),
            "the name server does not answer",
        ),
        (aiohttp.ClientConnectorDNSError(KEY, OSError(None, "DNS lookup failed")), "name not found"),
        (aiohttp.ClientConnectorError(KEY, OSError(errno.ECONNREFUSED, "Connect call failed")), "Connection refused"),
        (aiohttp.ClientConnectorError(KEY, OSError(errno.ENETUNREACH, "")), "Network is unreachable"),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "unknown protocol")), "its certificate is not accepted"),
        (TimeoutError(), "it took too long"),
        (aiohttp.ServerDisconnectedError(), "the connection broke off"),
    ],
)
def test_no_reason_is_a_number(error: Exception, words: str) -> None:
    assert reason_of(error) == words
