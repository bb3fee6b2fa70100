"""Under which names the services are reached: by configuration, never by what a request says of itself.

A page whose name was made to lead to this machine (DNS rebinding) sends that name as Host, and as its Origin.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from killreport.config import Settings

LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")


def own_origins(settings: Settings) -> frozenset[str]:
    """Return the origins of our own pages: that of the public URL, and those of the API on this machine."""
    found = {f"http://{name}:{settings.api_port}" for name in (*LOCAL_NAMES, _bracketed(settings.host))}
    for url in (settings.public_url, settings.api_url):
        if url is not None:
            parts = urlsplit(url)
            found.add(f"{parts.scheme}://{parts.netloc}".lower())
    return frozenset(found)


def api_base(settings: Settings) -> str:
    """Return the URL under which others read the API."""
    return settings.public_url or f"http://127.0.0.1:{settings.api_port}"


def site_base(settings: Settings) -> str:
    """Return the URL under which others read the site."""
    return settings.public_url or f"http://127.0.0.1:{settings.web_port}"


def is_own_host(settings: Settings, host: str | None) -> bool:
    """Tell whether a Host header names us: by an address, by a name without a dot, or by one that the settings have.

    Such a name nobody else can have made to lead here; without the header it is no browser that asks.
    """
    if host is None:
        return True
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:  # brackets that do not fit, characters that stand for others
        return False
    if name in LOCAL_NAMES or ("." not in name and ":" not in name):
        return True
    try:
        ip_address(name)
    except ValueError:
        return name in {urlsplit(url).hostname for url in (settings.public_url, settings.api_url) if url is not None}
    return True


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
