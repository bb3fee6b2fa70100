"""Settings: `KILLREPORT_*` from the environment over one TOML file over the defaults, as one frozen object.

Beside `killreport.environment` the only module that reads the environment. Built once and passed down.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, ValidationInfo, field_validator

from killreport.errors import BadSetting

PREFIX = "KILLREPORT_"
FILE_NAME = "killreport.toml"
# Surrogates stand for bytes of the environment that are no UTF-8.
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")

_SCHEMES = {  # what a service's URL may begin with, and what is said of it
    "database_url": (("postgresql://", "postgres://"), "postgresql://"),
    "broker_url": (("amqp://", "amqps://"), "amqp:// or amqps://"),
    "redis_url": (("redis://", "rediss://"), "redis:// or rediss://"),
}


def default_home() -> Path:
    """Return the folder for everything local: the system's for root, else the user's data directory (XDG)."""
    if os.geteuid() == 0:
        return Path("/var/lib/killreport")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "killreport"


def listed(value: str) -> tuple[str, ...]:
    """Return the parts of a list separated by commas, without blanks and empty parts."""
    return tuple(part for part in (part.strip() for part in value.split(",")) if part)


def listed_networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return the networks of a list separated by commas. Raises ValueError for what is none."""
    return tuple(ip_network(part) for part in listed(value))


class Settings(BaseModel):
    """Every setting of the product; `killreport config show` prints them with where each value came from."""

    # The default home comes from the environment, so defaults are checked too.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    home: Path = Field(default_factory=default_home, description="Folder for everything local.")
    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL >= 15 as postgresql://user:password@host:port/name, not by way of a PgBouncer that"
        " pools transactions (sessions are fine); unset: embedded.",
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
    fleet_secret: SecretStr | None = Field(
        default=None,
        description="With it the site proves to the API for whom it asks; unset: made by itself in the home folder.",
    )
    public_url: str | None = Field(
        default=None,
        description="Base URL at which others reach the site and the API, for links in feeds; unset: the local ports.",
    )
    connections: int = Field(
        default=4_000,
        ge=16,
        le=60_000,
        description="Most open connections to one process of the API or of the site, if it may have as many files.",
    )
    api_max_cost: int = Field(
        default=20_000, ge=1, description="Most a request to the API may cost, worked out before it runs."
    )
    api_max_depth: int = Field(default=18, ge=1, le=100, description="Most levels of an API query.")
    api_max_fields: int = Field(default=1_000, ge=1, description="Most fields of an API query, fragments spread.")
    api_max_aliases: int = Field(default=100, ge=0, description="Most aliases of an API query, fragments spread.")
    api_max_root_fields: int = Field(default=10, ge=1, description="Most fields at the root of an API query.")
    api_max_tokens: int = Field(
        default=2_000, ge=1, description="Most names, numbers and signs of an API document; checking one takes 30 µs."
    )
    api_max_directives: int = Field(default=50, ge=0, description="Most directives (@…) in an API document.")
    api_max_batch: int = Field(default=10, ge=1, le=100, description="Most operations in one request to the API.")
    api_timeout_seconds: float = Field(default=15.0, gt=0, le=3600, description="Longest an API request may run.")
    api_body_seconds: float = Field(
        default=10.0, gt=0, le=3600, description="Within this time the body of an API request must have arrived."
    )
    api_sockets: int = Field(
        default=2_000, ge=0, description="Most live connections (WebSocket and event streams) to one API process."
    )
    api_sockets_per_client: int = Field(default=20, ge=0, description="Most live connections of one client of the API.")
    web_streams: int = Field(default=2_000, ge=0, description="Most live pages open at one process of the site.")
    web_streams_per_client: int = Field(default=20, ge=0, description="Most live pages of one visitor.")
    api_init_seconds: float = Field(
        default=10.0, gt=0, le=3600, description="Within this time a WebSocket must send its connection_init."
    )
    api_heartbeat_seconds: float = Field(
        default=15.0, gt=0, le=3600, description="Pause between two heartbeats on a live connection."
    )
    api_rate_burst: int = Field(
        default=60_000, ge=0, description="Cost a client may spend at once, a full bucket; 0: no rate limit."
    )
    api_rate_per_second: float = Field(default=1_000.0, gt=0, description="Cost a client's bucket gains each second.")
    api_unlimited_networks: str = Field(
        default="127.0.0.0/8,::1/128",
        description="Clients without a rate limit, if they connect without a proxy; visitors of the site are none.",
    )
    trusted_proxies: str = Field(
        default="", description="Networks, separated by commas, that are believed when they say for whom they ask."
    )
    trusted_proxy_header: Literal["x-forwarded-for", "forwarded"] = Field(
        default="x-forwarded-for", description="The header in which those proxies write whom they speak for."
    )
    api_introspection: bool = Field(
        default=True, description="Answer questions about the schema; off leaves the explorer without it."
    )
    api_explorer: bool = Field(default=True, description="Show browsers a page to try queries at /graphql.")
    api_allowed_origins: str = Field(
        default="*", description="Origins, separated by commas, whose pages may read the API; *: all."
    )
    api_cache_bytes: int = Field(
        default=32 * 2**20, ge=0, description="Memory for answers kept by one API process; 0: none is kept."
    )
    api_names_seconds: float = Field(
        default=600.0,
        ge=0,
        le=3600,
        description="How long an API process remembers a name of whose change nobody tells it; 0: not at all.",
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
    esi_share_of_visitors: float = Field(
        default=0.1, gt=0, le=1, description="Part of them that one API process spends on refresh requests of visitors."
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
    feed_silence_seconds: float = Field(
        default=300.0,
        ge=0,
        le=604_800,
        description="A feed without a kill for longer is said to be silent, on the site and in `list`; 0: never.",
    )
    feed_gap_seconds: float = Field(
        default=60.0, gt=0, le=86_400, description="How long a sequence may be missing before it is noted as a gap."
    )
    feed_behind: int = Field(
        default=0, ge=0, le=20_000, description="On the very first start, begin this many sequences before the head."
    )
    history_after_hours: float = Field(
        default=24.0,
        ge=0,
        le=876_000,
        description="An older killmail that an import, a repair or a list brought is history: it is not told live.",
    )
    warm_start: bool = Field(
        default=True, description="Fork the fleet's processes from one warm process; off: each starts by itself."
    )
    memory_limit_mb: int | None = Field(
        default=None,
        ge=0,
        le=1_000_000,
        description="Above this a service or worker drains and is started again; unset: as the table says; 0: never.",
    )
    disk_warning_mb: int = Field(
        default=1_024, ge=0, description="Below so many MB free on the disk of the home, list, health and log say so."
    )
    quarantine_max_entries: int = Field(
        default=50_000, ge=1, description="What could not be stored, at the most; beyond it the oldest goes."
    )
    quarantine_max_mb: int = Field(
        default=1_024, ge=16, le=1_000_000, description="The same in MB of bodies; a body is cut at 16 MB."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="auto: text on a terminal, else JSON."
    )

    @field_validator("*", mode="before")
    @classmethod
    def _is_one_line(cls, value: object) -> object:
        # Settings become headers, units and command lines, where a line's end would begin something else.
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(plain, str | Path) and _CONTROL.search(str(plain)):
            raise ValueError("must have no line's end, no other control character, and be UTF-8")
        return value

    @field_validator(*_SCHEMES)
    @classmethod
    def _has_scheme(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        schemes, words = _SCHEMES[info.field_name or ""]
        if value is not None and not value.get_secret_value().startswith(schemes):
            raise ValueError(f"must start with {words}")
        return value

    @field_validator("operator_token", "fleet_secret")
    @classmethod
    def _is_bearer_token(cls, value: SecretStr | None) -> SecretStr | None:
        # What RFC 6750 lets a bearer token be made of; without a colon it is never mistaken for a URL and half shown.
        if value is not None and not re.fullmatch(r"[A-Za-z0-9._~+/=-]{24,}", value.get_secret_value()):
            raise ValueError("must have at least 24 signs, of letters, digits and -._~+/=")
        return value

    @field_validator(
        *("api_url", "public_url", "r2z2_url", "redisq_url", "zkillboard_url"),
        *("esi_url", "static_data_url", "everef_url"),
    )
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value if value is None else value.rstrip("/")

    @field_validator("api_unlimited_networks", "trusted_proxies")
    @classmethod
    def _is_networks(cls, value: str) -> str:
        listed_networks(value)
        return value

    @property
    def api_address(self) -> str:
        """Return the base URL at which the site asks the API."""
        return self.api_url or f"http://127.0.0.1:{self.api_port}"

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


def find_home(environment: Mapping[str, str] | None = None) -> tuple[Path, str]:
    """Return the home folder, and why the settings cannot be used: "" where they can.

    For what is done to a fleet that runs with settings of its own: a mistake in a file must not keep it from being
    looked at and ended. Raises BadSetting where the mistake is about the home itself.
    """
    env = os.environ if environment is None else environment
    try:
        return load_settings(env).settings.home, ""
    except BadSetting as error:
        home = env.get(f"{PREFIX}HOME")
        if not home and env.get(f"{PREFIX}CONFIG"):
            raise  # the home may be named in the file that cannot be used
        named = {"home": home} if home else {}
        return Settings._checked(named, {"home": "environment"}).home, str(error)


def _read_file(named: str | None, home: Path) -> tuple[Path, dict[str, Any]]:
    path = Path(named) if named else home / FILE_NAME
    if "\0" in str(path):
        return path, {}  # what the home is refused for is said when it is checked
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


def why_no_setting(variable: str, value: str) -> str | None:
    """Return why the environment cannot have this `KILLREPORT_*` variable with this value, None where it can."""
    name = variable.removeprefix(PREFIX).lower()
    try:
        _refuse_unknown(variable, name, "an environment")
    except BadSetting:
        close = difflib.get_close_matches(name, Settings.model_fields, n=1)
        hint = f"did you mean {PREFIX}{close[0].upper()}?" if close else "killreport config show lists all."
        return f"is not a setting; {hint}"
    try:
        Settings.model_validate({name: value} if value else {})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return f"cannot be used: {first['msg'].removeprefix('Value error, ')}."
    return None
