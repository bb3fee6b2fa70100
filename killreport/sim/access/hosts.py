"""Which of the real hosts a path belongs to: all of them are one port here."""

from __future__ import annotations

HOSTS = ("r2z2", "redisq", "zkillboard", "everef", "ccp", "esi")

_PREFIXES = (
    ("/ephemeral/", "r2z2"),
    ("/history/", "r2z2"),
    ("/listen.php", "redisq"),
    ("/object.php", "redisq"),
    ("/api/", "zkillboard"),
    ("/market-history/", "everef"),
    ("/static-data/", "ccp"),
)


def host_of(path: str) -> str:
    """Return the host, by the name that rules and counts use."""
    return next((host for prefix, host in _PREFIXES if path.startswith(prefix)), "esi")
