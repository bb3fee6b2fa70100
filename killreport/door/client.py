"""Whose request it is: the address behind proxies that are believed, and whether it is limited at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import structlog
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from killreport.clock import monotonic
from killreport.config import Settings, listed_networks
from killreport.door.own_names import is_own_host
from killreport.door.visitor_signature import FLEET, SIGNATURE_HEADER, VISITOR_HEADER, VisitorSigner

_OF_SITE = frozenset({VISITOR_HEADER.encode(), SIGNATURE_HEADER.encode()})
_PASSED_ON = _OF_SITE | {b"forwarded", b"x-forwarded-for"}
# A stranger can send signatures of its own making as often as it likes.
_TOLD_SECONDS = 60.0
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*"?(\[[^\]]*\]|[^";,:\s]+)', re.IGNORECASE)
# One subscriber is usually given a whole /64 and may change its address in it at will.
_IPV6_PREFIX = 64
_MAX_ADDRESS = 45
# Of addresses that came lately: reading one takes longer than finding a kept answer.
_REMEMBERED = 2_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Client:
    """key: one address, or one /64 of IPv6. is_limited: false for the networks that the settings exempt.

    is_fleet: it is the fleet's own site, asking for itself. address: for whom to ask on; None where nobody knows.
    """

    key: str
    is_limited: bool
    is_fleet: bool = False
    address: str | None = field(default=None, compare=False)


_SITE = Client("fleet", False, is_fleet=True)
_UNKNOWN = Client("unknown", True)


class Clients:
    """Tells clients apart by the settings, and by the signed header in which the site says for whom it asks."""

    def __init__(self, settings: Settings) -> None:
        self.signer = VisitorSigner(settings)
        self._settings = settings
        self._told_at = -_TOLD_SECONDS
        self._trusted = listed_networks(settings.trusted_proxies)
        self._unlimited = listed_networks(settings.api_unlimited_networks)
        self._header = settings.trusted_proxy_header

    def client(self, connection: HTTPConnection) -> Client:
        """Return who asks; see `client_of`."""
        return self.client_of(connection.client.host if connection.client else "", connection.headers)

    def client_of(self, host: str, headers: Headers) -> Client:
        """Return who asks. host: the address the connection came from.

        Whom the site asks for is limited like everybody, whatever networks are exempt: it speaks for strangers. Its
        word counts only with the fleet's signature.

        Behind a proxy that is believed it is the last address of the header that is no such proxy: what stands before
        was written by the client itself. A connection with such a header is never exempt by its own address, so that
        a proxy on this machine which nobody configured does not lift the limit for everybody. Nor is one from this
        machine that asks under a name which is not ours.
        """
        marks = _PASSED_ON.intersection(name for name, _ in headers.raw)
        if marks & _OF_SITE:
            visitor = self.signer.visitor(headers)
            if visitor is not None:
                return self._visitor(visitor)
            self._tell_of_a_broken_seal(host)
        peer = _address(host)
        if peer is None:
            return _UNKNOWN
        address = peer
        if marks and self._is_trusted(peer):
            for hop in reversed(self._hops(headers)):
                found = _address(hop)
                if found is None:
                    break
                address = found
                if not self._is_trusted(found):
                    break
        is_exempt = (not marks or address != peer) and any(address in network for network in self._unlimited)
        if is_exempt and address.is_loopback and not is_own_host(self._settings, headers.get("host")):
            # A page in a browser of this machine, under a name of its own that was made to lead here.
            is_exempt = False
        return _client(address, is_limited=not is_exempt)

    def is_exempt(self, host: str) -> bool:
        """Whether connections from this address are not limited; proxies, who speak for many, are not either."""
        peer = _address(host)
        return peer is not None and any(peer in network for network in (*self._unlimited, *self._trusted))

    def _visitor(self, visitor: str) -> Client:
        if visitor == FLEET:
            return _SITE
        address = _address(visitor)
        return _UNKNOWN if address is None else _client(address, is_limited=True)

    def _tell_of_a_broken_seal(self, host: str) -> None:
        if monotonic() - self._told_at >= _TOLD_SECONDS:
            self._told_at = monotonic()
            _log.warning("visitor_not_believed", peer=host, hint="the site and the API have different secrets")

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)

    def _hops(self, headers: Headers) -> Sequence[str]:
        hops = ",".join(headers.getlist(self._header)).split(",")
        if self._header == "x-forwarded-for":
            return [_without_port(hop.strip()) for hop in hops]
        return [found[1].strip("[]") if (found := _FOR.search(hop)) else "" for hop in hops]


def _without_port(hop: str) -> str:
    """Return the address of what some proxies write as `192.0.2.1:4711` or `[2001:db8::1]:4711`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _address(text: str) -> IPv4Address | IPv6Address | None:
    # Without its zone, which is this machine's name for an interface.
    text = text.partition("%")[0]
    return _read_address(text) if len(text) <= _MAX_ADDRESS else None


@lru_cache(_REMEMBERED)
def _read_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


@lru_cache(_REMEMBERED)
def _client(address: IPv4Address | IPv6Address, *, is_limited: bool) -> Client:
    return Client(key_of(address), is_limited, address=str(address))


def host_key(host: str) -> str:
    """Return the key of a connection's own address."""
    address = _address(host)
    return host if address is None else key_of(address)


def key_of(address: IPv4Address | IPv6Address) -> str:
    """Return what one client has in common: its address, or its /64."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, _IPV6_PREFIX), strict=False))
    return str(address)
