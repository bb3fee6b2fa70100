"""Which settings are secrets, and which process is given which of them: what one does not have, it cannot lose."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import SecretStr

from killreport.config import Settings
from killreport.fleet.table import ProcessRow

_STORES = ("database_url", "broker_url", "redis_url")
# The addresses that the site itself uses; workers and jobs use the others.
_OF_THE_SITE = ("api_url", "public_url", "image_url")


def secret_settings() -> tuple[str, ...]:
    """Return the names of the settings whose values are secrets, whatever they are."""
    return tuple(name for name, about in Settings.model_fields.items() if SecretStr in _parts(about.annotation))


def addresses_with_secrets(settings: Settings) -> tuple[str, ...]:
    """Return the names of the other settings that hold a user or a password here, as `https://me:word@host` does."""
    plain = (name for name in Settings.model_fields if name not in secret_settings())
    return tuple(name for name in plain if _has_user(getattr(settings, name)))


def all_secrets(settings: Settings) -> frozenset[str]:
    """Return the names of every setting whose value here is nobody's business."""
    return frozenset((*secret_settings(), *addresses_with_secrets(settings)))


def secrets_of(row: ProcessRow | None, settings: Settings | None = None) -> tuple[str, ...]:
    """Return the secret settings that a process is given; None: what upgrades the schema.

    The site reaches no store; nobody but the two services needs to know for whom the site asks, nobody but the API who
    its operator is. settings: where addresses with a password are to be counted too.
    """
    addresses = () if settings is None else addresses_with_secrets(settings)
    if row is not None and row.port_setting == "web_port":
        return ("fleet_secret", *(name for name in addresses if name in _OF_THE_SITE))
    is_service = row is not None and row.kind == "service"
    own = secret_settings() if is_service else _STORES
    return (*own, *addresses)


def _parts(annotation: object) -> tuple[object, ...]:
    return getattr(annotation, "__args__", (annotation,))


def _has_user(value: object) -> bool:
    if not isinstance(value, str) or "://" not in value:
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return True  # nobody can tell what it holds
    return "@" in parts.netloc
