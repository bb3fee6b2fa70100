"""The fleet as a Compose project: a service each, one scheduler for the jobs, and the stores they need.

Source: https://github.com/compose-spec/compose-spec/blob/main/spec.md, checked 2026-11-28.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

from killreport.fleet.export.bundle import (
    Bundle,
    Surroundings,
    full_name,
    hard_limit_mb,
    header,
    needs_stores,
    run_arguments,
    started_rows,
    variable,
)
from killreport.fleet.export.calendar import hours
from killreport.fleet.export.yaml import Node, document
from killreport.fleet.secrets import addresses_with_secrets, secrets_of
from killreport.fleet.table import ProcessRow

FILE_NAME = "compose.yaml"
EXAMPLE = ".env.example"
SCHEDULER = "scheduler"

_PASSWORDS = ("POSTGRES_PASSWORD", "RABBITMQ_PASSWORD", "REDIS_PASSWORD", "FLEET_SECRET")
_LOGGING: Node = {"driver": "local", "options": {"max-size": "10m", "max-file": "5"}}
_STORES = ("postgres", "rabbitmq", "redis")
_MIGRATE = "migrate"


def compose_bundle(rows: Sequence[ProcessRow], surroundings: Surroundings) -> Bundle:
    """Return the project of these rows. The passwords are those of the operator's `.env`, which is never written."""
    services: dict[str, Node] = {_MIGRATE: _migrate(surroundings)}
    services |= {row.name: _always_on(row, surroundings) for row in rows if row.kind != "job"}
    jobs = [row for row in started_rows(rows) if row.kind == "job"]
    if jobs:
        services[SCHEDULER] = _scheduler(jobs, surroundings)
    services |= _stores()
    project: Node = {
        "name": "killreport",
        "services": services,
        "networks": {"inside": {"internal": True}, "outside": {}},
        "volumes": {name: {} for name in (*_STORES, *([SCHEDULER] if jobs else []))},
    }
    notes = header(
        "compose",
        f"Passwords come from .env beside this file ({EXAMPLE} names them); it is not written here.",
        "A memory limit here kills; it is 1.25 times the one above which a process ends in order and is started anew.",
    )
    return Bundle(
        target="compose",
        files={FILE_NAME: notes + document(project), EXAMPLE: _example(surroundings)},
        kept=frozenset((".env",)),
        next_steps=f"Build the image ({surroundings.image}), copy {EXAMPLE} to .env and fill it, "
        "then: docker compose up -d.",
    )


def _addresses(row: ProcessRow | None, surroundings: Surroundings) -> list[str]:
    """Return the variables of the addresses with a password that a process is given."""
    known = addresses_with_secrets(surroundings.settings)
    return [variable(name) for name in secrets_of(row, surroundings.settings) if name in known]


def _example(surroundings: Surroundings) -> str:
    notes = header(
        "compose",
        "Copy this to .env, mode 600, and give each a value of letters and digits, for they become parts of URLs:",
        "openssl rand -hex 24",
    )
    addresses = [variable(name) for name in addresses_with_secrets(surroundings.settings) if name != "api_url"]
    told = "# Addresses with a password in them, as a whole:\n" if addresses else ""
    return notes + "".join(f"{name}=\n" for name in _PASSWORDS) + told + "".join(f"{name}=\n" for name in addresses)


def _from_env(name: str) -> str:
    return f"${{{name}:?set it in .env}}"


def _base(
    surroundings: Surroundings,
    command: Sequence[str],
    *,
    with_stores: bool,
    is_service: bool = False,
    addresses: Sequence[str] = (),
) -> dict[str, Node]:
    environment = dict(surroundings.container_environment())
    # A dollar sign would begin one of Compose's variables.
    environment = {name: value.replace("$", "$$") for name, value in environment.items()}
    if with_stores:
        environment |= {
            variable(
                "database_url"
            ): f"postgresql://killreport:{_from_env('POSTGRES_PASSWORD')}@postgres:5432/killreport",
            variable("broker_url"): f"amqp://killreport:{_from_env('RABBITMQ_PASSWORD')}@rabbitmq:5672/",
            variable("redis_url"): f"redis://:{_from_env('REDIS_PASSWORD')}@redis:6379/0",
        }
    if is_service:
        # Each has a home of its own, so neither finds there what the other made.
        environment[variable("fleet_secret")] = _from_env("FLEET_SECRET")
    environment |= {name: _from_env(name) for name in addresses if name != variable("api_url")}
    return {
        "image": surroundings.image,
        "command": list(command),
        "environment": environment,
        "init": True,
        "read_only": True,
        "tmpfs": ["/tmp", "/var/lib/killreport:mode=1777"],  # noqa: S108 - the container's own
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "networks": ["inside", "outside"],
        "logging": _LOGGING,
    }


def _migrate(surroundings: Surroundings) -> Node:
    return {
        **_base(surroundings, ("db", "upgrade"), with_stores=True),
        "restart": "no",
        "depends_on": {"postgres": {"condition": "service_healthy"}},
    }


def _always_on(row: ProcessRow, surroundings: Surroundings) -> Node:
    is_service = row.kind == "service"
    service = _base(
        surroundings,
        run_arguments(row),
        with_stores=needs_stores(row),
        is_service=is_service,
        addresses=_addresses(row, surroundings),
    )
    service |= {"restart": "unless-stopped" if row.restarts else "no"}
    service |= _bounds(hard_limit_mb(row), row.kill_timeout)
    if row.is_single:
        # Two of it would pass the limits that outside hosts set for one address; a fixed name refuses `--scale`.
        service["container_name"] = full_name(row)
    if row.instances > 1:
        service["scale"] = row.instances
    service["depends_on"] = _dependencies(row)
    port = surroundings.port(row)
    if port is not None:
        service["ports"] = [f"127.0.0.1:{port}:{port}"]
        service["healthcheck"] = _check(_asking(port), start=row.ready_timeout)
    return service


def _dependencies(row: ProcessRow) -> Node:
    if not needs_stores(row):
        return {"killreport-backend": {"condition": "service_healthy"}}
    return {
        _MIGRATE: {"condition": "service_completed_successfully"},
        **{name: {"condition": "service_healthy"} for name in _STORES},
    }


def _scheduler(jobs: Sequence[ProcessRow], surroundings: Surroundings) -> Node:
    command = ("start", "--foreground", *(row.name for row in jobs))
    service = _base(surroundings, command, with_stores=True, addresses=_addresses(jobs[0], surroundings))
    # Its home remembers which runs there were, so that missed ones are caught up.
    service |= {
        "tmpfs": ["/tmp"],  # noqa: S108
        "volumes": [f"{SCHEDULER}:/var/lib/killreport"],
        "restart": "unless-stopped",
        "container_name": "killreport-scheduler",
        "depends_on": _dependencies(jobs[0]),
        "healthcheck": _check(["CMD", "killreport", "ping"], start=timedelta(seconds=60)),
    }
    return service | _bounds(_jobs_at_once_mb(jobs), max(row.kill_timeout for row in jobs))


def _jobs_at_once_mb(jobs: Sequence[ProcessRow]) -> int:
    """Return what the jobs of the busiest hour may hold together, for they run side by side in one container."""
    by_hour = dict.fromkeys(range(24), 0)
    for row in jobs:
        lasts = math.ceil((row.time_limit or timedelta()) / timedelta(hours=1))
        for hour in {(begin + more) % 24 for begin in hours(row.schedule or "") for more in range(max(1, lasts))}:
            by_hour[hour] += hard_limit_mb(row)
    return max(by_hour.values())


def _bounds(limit_mb: int, kill_timeout: timedelta) -> dict[str, Node]:
    # The same for memory and for memory with swap: none is swapped out.
    return {
        "mem_limit": f"{limit_mb}m",
        "memswap_limit": f"{limit_mb}m",
        "stop_grace_period": f"{kill_timeout.total_seconds():g}s",
    }


def _asking(port: int) -> list[Node]:
    program = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/healthz', timeout=5)"
    return ["CMD", "python", "-c", program]


def _check(test: Sequence[Node], start: timedelta) -> Node:
    return {
        "test": list(test),
        "interval": "30s",
        "timeout": "10s",
        "retries": 3,
        "start_period": f"{start.total_seconds():g}s",
    }


def _stores() -> dict[str, Node]:
    return {
        "postgres": _store(
            "postgres:18-alpine",
            "/var/lib/postgresql",
            ["CMD-SHELL", "pg_isready -h 127.0.0.1 -U killreport -d killreport"],
            environment={
                "POSTGRES_USER": "killreport",
                "POSTGRES_DB": "killreport",
                "POSTGRES_PASSWORD": _from_env("POSTGRES_PASSWORD"),
            },
            shm_size="256m",
        ),
        "rabbitmq": _store(
            "rabbitmq:4-alpine",
            "/var/lib/rabbitmq",
            ["CMD", "rabbitmq-diagnostics", "-q", "check_running"],
            # The name of the node is part of where it keeps its data.
            hostname="rabbitmq",
            environment={
                "RABBITMQ_DEFAULT_USER": "killreport",
                "RABBITMQ_DEFAULT_PASS": _from_env("RABBITMQ_PASSWORD"),
            },
        ),
        "redis": _store(
            "redis:8-alpine",
            "/data",
            ["CMD-SHELL", 'REDISCLI_AUTH="$$REDIS_PASSWORD" redis-cli ping | grep -q PONG'],
            environment={"REDIS_PASSWORD": _from_env("REDIS_PASSWORD")},
            command=["sh", "-c", 'exec redis-server --appendonly yes --requirepass "$$REDIS_PASSWORD"'],
        ),
    }


def _store(image: str, folder: str, test: Sequence[Node], **others: Node) -> Node:
    name = image.partition(":")[0]
    return {
        "image": image,
        **others,
        "restart": "unless-stopped",
        "volumes": [f"{name}:{folder}"],
        "networks": ["inside"],
        "healthcheck": _check(test, start=timedelta(seconds=60)),
        "logging": _LOGGING,
    }
