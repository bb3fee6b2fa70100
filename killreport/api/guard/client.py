"""Whose request it is: the address behind proxies that are believed, and whether it is limited at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from starlette.requests import HTTPConnection

from killreport.config import Settings, listed_networks

_HEADERS = ("forwarded", "x-forwarded-for")
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*"?(\[[^\]]*\]|[^";,:\s]+)', re.IGNORECASE)
# One subscriber is usually given a whole /64 and may change its address in it at will.
_IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Client:
    """key: one address, or one /64 of IPv6. is_limited: false for the networks that the settings exempt."""

    key: str
    is_limited: bool


class Clients:
    """Tells clients apart by the settings."""

    def __init__(self, settings: Settings) -> None:
        self._trusted = listed_networks(settings.trusted_proxies)
        self._unlimited = listed_networks(settings.api_unlimited_networks)
        self._header = settings.trusted_proxy_header

    def client(self, connection: HTTPConnection) -> Client:
        """Return who asks.

        Behind a proxy that is believed it is the last address of the header that is no such proxy: what stands before
        was written by the client itself. A connection with such a header is never exempt by its own address, so that
        a proxy on this machine which nobody configured does not lift the limit for everybody.
        """
        peer = _address(connection.client.host if connection.client else "")
        if peer is None:
            return Client("unknown", True)
        came_directly = not any(name in connection.headers for name in _HEADERS)
        address = peer
        if self._is_trusted(peer):
            for hop in reversed(self._hops(connection)):
                found = _address(hop)
                if found is None:
                    break
                address = found
                if not self._is_trusted(found):
                    break
        is_exempt = (came_directly or address != peer) and any(address in network for network in self._unlimited)
        return Client(_key(address), not is_exempt)

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)

    def _hops(self, connection: HTTPConnection) -> Sequence[str]:
        hops = ",".join(connection.headers.getlist(self._header)).split(",")
        if self._header == "x-forwarded-for":
            return [hop.strip() for hop in hops]
        return [found[1].strip("[]") if (found := _FOR.search(hop)) else "" for hop in hops]


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def _key(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, _IPV6_PREFIX), strict=False))
    return str(address)
