"""Telling clients apart, behind proxies and without."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import HTTPConnection

from killreport.config import Settings
from killreport.door.client import Client, Clients
from killreport.errors import BadSetting


def client(peer: str, headers: dict[str, str] | None = None, **settings: Any) -> Client:
    """Return who a connection from this address with these headers belongs to."""
    given = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {"type": "http", "client": (peer, 1), "headers": given}
    return Clients(Settings().replace(**settings)).client(HTTPConnection(scope))


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert client("9.9.9.9", {"X-Forwarded-For": "1.1.1.1"}) == Client("9.9.9.9", True)


def test_the_rightmost_address_that_is_no_trusted_proxy_wins() -> None:
    headers = {"X-Forwarded-For": "6.6.6.6, 7.7.7.7, 10.0.0.2"}
    assert client("10.0.0.1", headers, trusted_proxies="10.0.0.0/8").key == "7.7.7.7"


def test_what_is_no_address_ends_the_chain() -> None:
    headers = {"X-Forwarded-For": "6.6.6.6, nonsense, 10.0.0.2"}
    assert client("10.0.0.1", headers, trusted_proxies="10.0.0.0/8").key == "10.0.0.2"


def test_only_the_header_that_the_proxies_write_is_read() -> None:
    headers = {"X-Forwarded-For": "1.1.1.1", "Forwarded": 'for=8.8.8.8;proto=https, for="[2001:db8::7]:99"'}
    settings = {"trusted_proxies": "10.0.0.0/8", "trusted_proxy_header": "forwarded"}
    assert client("10.0.0.1", headers, **settings).key == "2001:db8::/64"
    assert client("10.0.0.1", headers, trusted_proxies="10.0.0.0/8").key == "1.1.1.1"


def test_a_subscriber_of_ipv6_is_one_client_with_all_its_addresses() -> None:
    assert client("2001:db8::1").key == client("2001:db8::ffff").key == "2001:db8::/64"
    assert client("::ffff:9.9.9.9").key == "9.9.9.9"


def test_the_site_on_this_machine_is_not_limited() -> None:
    assert not client("127.0.0.1").is_limited
    assert not client("10.1.2.3", api_unlimited_networks="10.1.2.0/24").is_limited
    assert client("127.0.0.1", api_unlimited_networks="").is_limited


def test_a_proxy_on_this_machine_that_nobody_configured_exempts_nobody() -> None:
    assert client("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}) == Client("127.0.0.1", True)
    assert client("127.0.0.1", {"Forwarded": "for=127.0.0.1"}).is_limited


def test_a_stranger_cannot_claim_to_be_exempt_through_a_proxy() -> None:
    found = client("127.0.0.1", {"X-Forwarded-For": "127.0.0.1, 5.5.5.5"}, trusted_proxies="127.0.0.1")
    assert found == Client("5.5.5.5", True)


def test_what_is_no_network_stops_the_start() -> None:
    with pytest.raises(BadSetting, match="TRUSTED_PROXIES"):
        Settings().replace(trusted_proxies="10.0.0.0/8, nonsense")


@pytest.mark.parametrize("host", ["[", "[::1", "[x]", "\u2100.com", "evil.example"])
def test_a_name_that_is_not_ours_or_no_name_at_all_lifts_no_limit(host: str) -> None:
    scope = {"type": "http", "client": ("127.0.0.1", 1), "headers": [(b"host", host.encode())]}
    assert Clients(Settings()).client(HTTPConnection(scope)).is_limited
