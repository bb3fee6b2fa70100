"""The fleet as systemd units: a service a process, sockets for the services, a timer a job, one target and one slice.

Source: systemd.service(5), systemd.socket(5), systemd.timer(5), systemd.exec(5), systemd.resource-control(5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from killreport.fleet.export.calendar import on_calendar
from killreport.fleet.schedule import BROKEN_OFF_STATUS
from killreport.fleet.secrets import secrets_of
from killreport.fleet.systemd import UNIT_NAME, argument, mounts_of, quoted
from killreport.fleet.table import ProcessRow

SECRETS_FILE = "/etc/killreport/secrets.env"
SECRETS_EXAMPLE = "secrets.env.example"
SECRETS_FOLDER = "/etc/killreport"
TARGET = "killreport.target"
SLICE = "killreport.slice"

# A setting may stand several times in a section.
Section = Sequence[tuple[str, str]]

_HARDENING: Section = (
    ("NoNewPrivileges", "yes"),
    ("PrivateTmp", "yes"),
    ("PrivateDevices", "yes"),
    ("ProtectSystem", "strict"),
    ("ProtectHome", "read-only"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectHostname", "yes"),
    ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("LockPersonality", "yes"),
    ("CapabilityBoundingSet", ""),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service"),
    ("SystemCallErrorNumber", "EPERM"),
    ("UMask", "0077"),
)


def systemd_bundle(rows: Sequence[ProcessRow], surroundings: Surroundings) -> Bundle:
    """Return the units of these rows. Raises Refused for a schedule that no timer can have."""
    rows = started_rows(rows)
    stores = secrets_of(None, surroundings.settings)
    files = {TARGET: _target(rows), SLICE: _slice(), SECRETS_EXAMPLE: _secrets_example(SECRETS_FILE, stores)}
    for row in rows:
        if own := _own_secrets(row, surroundings):
            files[f"{row.name}.env.example"] = _secrets_example(f"{SECRETS_FOLDER}/{row.name}.env", own)
        files |= {f"{name}.service": _service(row, surroundings) for name in _copies(row)}
        if surroundings.port(row) is not None:
            files[f"{full_name(row)}.socket"] = _socket(row, surroundings)
        if row.schedule is not None:
            files[f"{full_name(row)}.timer"] = _timer(row, row.schedule)
    return Bundle(
        target="systemd",
        files=files,
        next_steps=f"Put the secrets into {SECRETS_FILE}, the units into /etc/systemd/system, then: "
        f"systemctl daemon-reload; systemctl enable --now {TARGET}.",
    )


def _copies(row: ProcessRow) -> list[str]:
    """Return the names of the units of each copy of a worker; of everything else there is one."""
    return [full_name(row), *(f"{full_name(row)}-{number}" for number in range(2, row.instances + 1))]


def _target(rows: Sequence[ProcessRow]) -> str:
    wanted = []
    for row in rows:
        kinds = ("timer",) if row.kind == "job" else ("socket", "service") if row.port_setting else ("service",)
        wanted += [("Wants", f"{name}.{kind}") for kind in kinds for name in _copies(row)]
    unit = [
        ("Description", "KillReport's fleet, each process a unit"),
        # The supervisor would run the same processes a second time.
        ("Conflicts", UNIT_NAME),
        *wanted,
    ]
    return _unit({"Unit": unit, "Install": [("WantedBy", "multi-user.target")]})


def _slice() -> str:
    return _unit({"Unit": [("Description", "KillReport's processes")], "Slice": [("MemoryAccounting", "yes")]})


def _own_secrets(row: ProcessRow, surroundings: Surroundings) -> list[str]:
    """Return the secret settings that are this process's, beyond those of all that reach the stores."""
    shared = secrets_of(None, surroundings.settings) if needs_stores(row) else ()
    return [name for name in secrets_of(row, surroundings.settings) if name not in shared]


def _secrets_example(path: str, names: Sequence[str]) -> str:
    notes = header(
        "systemd",
        f"Goes to {path}, readable by root alone. Without a value a setting keeps its default.",
    )
    return notes + "".join(f"{variable(name)}=\n" for name in names)


def _service(row: ProcessRow, surroundings: Surroundings) -> str:
    is_job = row.kind == "job"
    unit = [("Description", f"KillReport: {row.description}"), ("PartOf", TARGET)]
    unit += [("Wants", "network-online.target")]
    unit += [("After", "network-online.target postgresql.service rabbitmq-server.service redis-server.service")]
    unit += [("RequiresMountsFor", mounts_of(surroundings.home))]
    if surroundings.port(row) is not None:
        unit += [("Requires", f"{full_name(row)}.socket"), ("After", f"{full_name(row)}.socket")]
    if row.restarts:
        # Restarted for ever, as its pause says: a database that is away for an hour is no reason to give up.
        unit += [("StartLimitIntervalSec", "0")]
    service = [
        *(_as_job(row) if is_job else _for_ever(row)),
        ("ExecStart", f"{argument(surroundings.python)} -m killreport {' '.join(run_arguments(row))}"),
        ("User", surroundings.user),
        *_environment(row, surroundings),
        ("Slice", SLICE),
        ("MemoryHigh", f"{row.memory_limit_mb}M"),
        ("MemoryMax", f"{hard_limit_mb(row)}M"),
        ("TimeoutStopSec", _seconds(row.kill_timeout)),
        ("LogRateLimitIntervalSec", "0"),
        ("ReadWritePaths", quoted(str(surroundings.home))),
        *_HARDENING,
    ]
    return _unit({"Unit": unit, "Service": service}, *_service_notes(row))


def _for_ever(row: ProcessRow) -> Section:
    pause = max(row.restart_delay, timedelta(seconds=1))
    return (
        ("Type", "notify"),
        ("NotifyAccess", "main"),
        ("TimeoutStartSec", _seconds(row.ready_timeout)),
        ("Restart", "always" if row.restarts else "no"),
        ("RestartSec", _seconds(pause)),
    )


def _as_job(row: ProcessRow) -> Section:
    limit = "infinity" if row.time_limit is None else _seconds(row.time_limit)
    # One that is told to stop says that it is due again; to be stopped is no failure.
    return (("Type", "oneshot"), ("TimeoutStartSec", limit), ("SuccessExitStatus", str(BROKEN_OFF_STATUS)))


def _service_notes(row: ProcessRow) -> tuple[str, ...]:
    if row.kind == "job":
        return ("TimeoutStartSec is the run's time limit: RuntimeMaxSec has no effect on a oneshot.",)
    return (
        "From systemd 254 on, pauses can grow while it fails: RestartSteps=7 and RestartMaxDelaySec=300 in a drop-in.",
    )


def _environment(row: ProcessRow, surroundings: Surroundings) -> Section:
    values = {variable("home"): str(surroundings.home), **surroundings.environment()}
    secrets = [("EnvironmentFile", SECRETS_FILE)] if needs_stores(row) else []
    if _own_secrets(row, surroundings):
        secrets.append(("EnvironmentFile", f"-{SECRETS_FOLDER}/{row.name}.env"))  # need not be there
    return (*(("Environment", quoted(f"{name}={value}")) for name, value in values.items()), *secrets)


def _socket(row: ProcessRow, surroundings: Surroundings) -> str:
    host = surroundings.settings.host
    address = f"[{host}]" if ":" in host else host
    return _unit(
        {
            "Unit": [("Description", f"KillReport: where {row.name} listens"), ("PartOf", TARGET)],
            "Socket": [("ListenStream", f"{address}:{surroundings.port(row)}"), ("Backlog", "2048")],
            "Install": [("WantedBy", TARGET)],
        },
        "The socket stays open while its service is restarted: connections wait, none is refused.",
    )


def _timer(row: ProcessRow, schedule: str) -> str:
    expressions = on_calendar(schedule)
    timer = [
        *(("OnCalendar", expression) for expression in expressions),
        ("Unit", f"{full_name(row)}.service"),
        ("AccuracySec", "1s"),
        # What was missed while the machine was off runs once.
        ("Persistent", "yes"),
    ]
    notes = [f"cron, in UTC: {schedule}"]
    if len(expressions) > 1:
        notes.append("cron takes the day of the month or the weekday; one line of OnCalendar would want both.")
    unit = [("Description", f"KillReport: when {row.name} runs"), ("PartOf", TARGET)]
    return _unit({"Unit": unit, "Timer": timer, "Install": [("WantedBy", TARGET)]}, *notes)


def _unit(sections: Mapping[str, Section], *notes: str) -> str:
    parts = [f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in lines) for name, lines in sections.items()]
    return header("systemd", *notes) + "\n" + "\n".join(parts)


def _seconds(duration: timedelta) -> str:
    return f"{duration.total_seconds():g}"
