"""Settings: `KILLREPORT_*` from the environment over one TOML file over the defaults, as one frozen object.

The only module that reads the environment. Built once, in the command line, and passed down.
"""

from __future__ import annotations

import difflib
import os
import re
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from killreport.errors import BadSetting

PREFIX = "KILLREPORT_"
FILE_NAME = "killreport.toml"
_PASSED_ON = frozenset(
    (
        "PATH",
        "HOME",
        "USER",
        "LANG",
        "TZ",
        "TMPDIR",
        "VIRTUAL_ENV",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_RUNTIME_DIR",
    )
)


def default_home() -> Path:
    """Return the folder for everything local: the system's for root, else the user's data directory (XDG)."""
    if os.geteuid() == 0:
        return Path("/var/lib/killreport")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "killreport"


class Settings(BaseSettings):
    """Every setting of the product; `killreport config show` prints them with where each value came from."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    home: Path = Field(default_factory=default_home, description="Folder for everything local.")
    database_url: SecretStr | None = Field(
        default=None, description="PostgreSQL >= 15 as postgresql://user:password@host:port/name; unset: embedded."
    )
    # The ledger is handed over with a connection of its own, while another one publishes.
    database_pool_size: int = Field(default=5, ge=2, le=100, description="Connections each process may open.")
    broker_url: SecretStr | None = Field(
        default=None, description="RabbitMQ as amqp://user:password@host:port/vhost; unset: queues in the database."
    )
    broker_queue_type: Literal["classic", "quorum"] = Field(
        default="classic", description="How RabbitMQ keeps the queues; quorum: on several nodes of a cluster."
    )
    redis_url: SecretStr | None = Field(
        default=None, description="Redis as redis://user:password@host:port/number; unset: events over the database."
    )
    host: str = Field(default="127.0.0.1", description="Address the services listen on.")
    api_port: int = Field(default=4000, ge=1, le=65535, description="Port of the GraphQL API.")
    web_port: int = Field(default=3000, ge=1, le=65535, description="Port of the web site.")
    sim_port: int = Field(default=4800, ge=1, le=65535, description="Port of the simulator.")
    api_url: str | None = Field(
        default=None, description="Where the site finds the API; unset: the API port on this machine."
    )
    operator_token: SecretStr | None = Field(
        default=None, description="Who sends it to the API as bearer token is its operator; unset: nobody is."
    )
    image_url: str = Field(
        default="https://images.evetech.net", description="EVE's image server; `off` shows drawn stand-ins instead."
    )
    contact: str = Field(
        default="", description="E-mail or URL sent in the User-Agent, so that the hosts we ask can reach the operator."
    )
    feed: Literal["r2z2", "redisq"] = Field(default="r2z2", description="Which live feed worker-redisq follows.")
    r2z2_url: str = Field(default="https://r2z2.zkillboard.com", description="Host of the R2Z2 feed and history.")
    redisq_url: str = Field(
        default="https://zkillredisq.stream", description="Host of a RedisQ-shaped feed (used when feed is redisq)."
    )
    redisq_queue: str = Field(default="killreport", description="Queue name at a RedisQ-shaped host.")
    zkillboard_url: str = Field(default="https://zkillboard.com", description="Host of zKillboard's REST API.")
    zkillboard_seconds: float = Field(
        default=10.0, gt=0, le=3600, description="Pause between two requests to zKillboard's REST API, all processes."
    )
    esi_url: str = Field(default="https://esi.evetech.net", description="Host of EVE's public API.")
    esi_requests_per_second: float = Field(
        default=50.0, gt=0, le=10_000, description="Most requests to ESI, by all processes and hosts together."
    )
    character_stale_days: float = Field(
        default=7.0, gt=0, le=3650, description="A character seen again after this long without a refresh gets one."
    )
    corporation_stale_days: float = Field(default=3.0, gt=0, le=3650, description="The same for a corporation.")
    alliance_stale_days: float = Field(default=7.0, gt=0, le=3650, description="The same for an alliance.")
    ledger_retry_minutes: float = Field(
        default=30.0, gt=0, le=10_080, description="An entity queued this long ago and still unknown is queued again."
    )
    everef_url: str = Field(default="https://data.everef.net", description="Host of EVE Ref's archives of prices.")
    static_data_url: str = Field(
        default="https://developers.eveonline.com/static-data", description="Where CCP publishes the static data."
    )
    feed_requests_per_second: float = Field(
        default=8.0, gt=0, le=10_000, description="Most requests to the feed; R2Z2 bans for an hour above 15."
    )
    feed_wait_seconds: float = Field(
        default=6.0, gt=0, le=600, description="Wait after a 404 before the same sequence is asked again."
    )
    feed_gap_seconds: float = Field(
        default=60.0, gt=0, le=86_400, description="How long a sequence may be missing before it is noted as a gap."
    )
    feed_behind: int = Field(
        default=0, ge=0, le=20_000, description="On the very first start, begin this many sequences before the head."
    )
    warm_start: bool = Field(
        default=True, description="Fork the fleet's processes from one warm process; off: each starts by itself."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="auto: text on a terminal, else JSON."
    )

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql://")
        return value

    @field_validator("broker_url")
    @classmethod
    def _is_amqp(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("amqp://", "amqps://")):
            raise ValueError("must start with amqp:// or amqps://")
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("redis://", "rediss://")):
            raise ValueError("must start with redis:// or rediss://")
        return value

    @field_validator("operator_token")
    @classmethod
    def _is_bearer_token(cls, value: SecretStr | None) -> SecretStr | None:
        # What RFC 6750 lets a bearer token be made of; without a colon it is never mistaken for a URL and half shown.
        if value is not None and not re.fullmatch(r"[A-Za-z0-9._~+/=-]{24,}", value.get_secret_value()):
            raise ValueError("must have at least 24 signs, of letters, digits and -._~+/=")
        return value

    @field_validator("api_url", "r2z2_url", "redisq_url", "zkillboard_url", "esi_url", "static_data_url", "everef_url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value if value is None else value.rstrip("/")

    @property
    def api_address(self) -> str:
        """Return the base URL at which the site asks the API."""
        return self.api_url or f"http://127.0.0.1:{self.api_port}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from the caller only: `load_settings` gathers them itself, to know where each came from."""
        return (init_settings,)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with other values, checked like the originals. Raises BadSetting."""
        return type(self)._checked({**self.model_dump(), **changes}, {})

    @classmethod
    def _checked(cls, values: Mapping[str, Any], sources: Mapping[str, str]) -> Self:
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            name = str(first["loc"][0])
            where = sources.get(name, "the call")
            raise BadSetting(
                f"{PREFIX}{name.upper()} (from {where}) cannot be used: {first['msg'].removeprefix('Value error, ')}."
            ) from None


@dataclass(frozen=True)
class LoadedSettings:
    """The settings and, for each name, where its value came from: `default`, `environment` or the file's path."""

    settings: Settings
    sources: Mapping[str, str]


def load_settings(environment: Mapping[str, str] | None = None) -> LoadedSettings:
    """Read the environment (default: this process's) and the settings file, and check everything.

    The file is the one `KILLREPORT_CONFIG` names, else `killreport.toml` in the home folder where it exists.
    Raises BadSetting with one sentence for an unknown name, an unreadable file or a bad value.
    """
    env = os.environ if environment is None else environment
    from_env = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in env.items()
        if name.startswith(PREFIX) and name not in (f"{PREFIX}CONFIG",) and not name.startswith(f"{PREFIX}TEST_")
    }
    for name in from_env:
        _refuse_unknown(f"{PREFIX}{name.upper()}", name, "the environment")
    from_env = {name: value for name, value in from_env.items() if value != ""}
    home = Path(from_env.get("home") or default_home())
    path, from_file = _read_file(env.get(f"{PREFIX}CONFIG"), home)
    sources = dict.fromkeys(Settings.model_fields, "default")
    sources |= dict.fromkeys(from_file, str(path)) | dict.fromkeys(from_env, "environment")
    return LoadedSettings(Settings._checked({**from_file, **from_env}, sources), sources)


def _read_file(named: str | None, home: Path) -> tuple[Path, dict[str, Any]]:
    path = Path(named) if named else home / FILE_NAME
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        if named:
            raise BadSetting(f"{PREFIX}CONFIG names {path}, which cannot be read: {error.strerror}.") from None
        return path, {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path} is not valid TOML: {error}.") from None
    for name in values:
        _refuse_unknown(name, name, str(path))
    return path, values


def _refuse_unknown(shown: str, name: str, where: str) -> None:
    if name in Settings.model_fields:
        return
    close = difflib.get_close_matches(name, Settings.model_fields, n=1)
    hint = f"; did you mean {PREFIX}{close[0].upper()}?" if close else "; `killreport config show` lists all."
    raise BadSetting(f"{shown} (from {where}) is not a setting{hint}")


def notify_socket_address() -> str | bytes | None:
    """Return the address of the process manager's socket, None where no manager waits to hear from this process.

    A leading `@` in NOTIFY_SOCKET stands for the zero byte of Linux's abstract names.
    """
    name = os.environ.get("NOTIFY_SOCKET", "")
    if name.startswith("@"):
        return b"\0" + os.fsencode(name[1:])
    return name or None


def passed_listeners() -> int:
    """Return how many listening sockets the process manager passed on, from descriptor 3 (LISTEN_FDS).

    0 where LISTEN_PID says that they are another process's. Source: sd_listen_fds(3).
    """
    count, owner = os.environ.get("LISTEN_FDS", ""), os.environ.get("LISTEN_PID", "")
    return int(count) if count.isdigit() and owner in ("", str(os.getpid())) else 0


def fleet_environment(home: Path) -> dict[str, str]:
    """Return what the processes of a fleet may see of this one's environment, with the home as it is here."""
    allowed = {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON or name.startswith((PREFIX, "LC_", "PYTHON", "SSL_CERT_"))
    }
    return allowed | {f"{PREFIX}HOME": str(home.absolute())}


def child_environment(settings: Settings, **others: str) -> dict[str, str]:
    """Return this process's environment for a child that must have exactly these settings.

    No `KILLREPORT_*` of our own gets through, so a child cannot see a value that was set aside here. The settings'
    secrets are in the result: it is for a process, never for a log.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if value is not None:
            plain = value.get_secret_value() if isinstance(value, SecretStr) else value
            environment[f"{PREFIX}{name.upper()}"] = str(plain)
    return environment | others


def replace_environment(environment: Mapping[str, str]) -> None:
    """Have this process see exactly this environment from now on, its time zone included."""
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()


def passed_on_environment(*names: str) -> dict[str, str]:
    """Return the variables of these names that are set, for a child that must see nothing else of ours."""
    return {name: os.environ[name] for name in names if name in os.environ}


def runtime_folder() -> Path | None:
    """Return the short-lived private folder the system gives this user, None where it gives none.

    Source: XDG Base Directory Specification, $XDG_RUNTIME_DIR; root's counterpart is /run.
    """
    named = "/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR", "")
    return Path(named) if named and os.access(named, os.W_OK | os.X_OK) else None
