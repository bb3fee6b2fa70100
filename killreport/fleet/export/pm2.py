"""The fleet as PM2 apps: one ecosystem file, plain data.

PM2 runs every job when it starts, and reads cron expressions in the machine's time zone. So a job's app starts every
hour, in the minutes of its schedule, and `--if-due` decides by the schedule in UTC and by the recorded runs whether
there is something to do. A start ends a run that goes on; `--if-due` then takes its work up again at once. In a time
zone that is not whole hours from UTC, a job runs up to 45 minutes late: starting more often would end runs more often.
Checked with PM2 7.0.4, which documents the keys at https://pm2.keymetrics.io/docs/usage/application-declaration/.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from killreport.fleet.export.bundle import Bundle, Surroundings, header, started_rows, variable
from killreport.fleet.table import ProcessRow

FILE_NAME = "ecosystem.config.js"
# Of a process that ends again and again: the first pause, which PM2 lengthens up to 15 s.
_FIRST_PAUSE_MS = 500
# Half a minute late: the database's clock, which says what is due, may be a little behind this machine's.
_SECOND = 30


def pm2_bundle(rows: Sequence[ProcessRow], surroundings: Surroundings) -> Bundle:
    """Return the ecosystem file of these rows."""
    apps = json.dumps({"apps": [_app(row, surroundings) for row in started_rows(rows)]}, indent=2, ensure_ascii=False)
    notes = header(
        "pm2",
        "Secrets belong into killreport.toml in KILLREPORT_HOME: PM2 shows every app's environment to who may ask it.",
        'There is no "autostart": false here, because PM2 then forgets the app when its daemon starts anew.',
        sign="//",
    )
    return Bundle(
        target="pm2",
        files={FILE_NAME: f"{notes}module.exports = {apps};\n"},
        next_steps=f"pm2 start {FILE_NAME}, then pm2 save.",
    )


def _app(row: ProcessRow, surroundings: Surroundings) -> dict[str, Any]:
    logs = surroundings.home / "logs"
    guard = ["--if-due", "--split-log"] if row.kind == "job" else []
    app: dict[str, Any] = {
        "name": row.name,
        "script": surroundings.python,
        "args": ["-m", "killreport", "run", row.name, *guard],
        "interpreter": "none",
        "exec_mode": "fork",
        "instances": row.instances,
        "autorestart": row.restarts,
        "max_memory_restart": f"{row.memory_limit_mb}M",
        "kill_timeout": _milliseconds(row.kill_timeout),
        "merge_logs": True,
        "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
        "out_file": str(logs / f"{row.name}-out.log"),
        "error_file": str(logs / f"{row.name}-error.log"),
        "env": {variable("home"): str(surroundings.home), **surroundings.environment()},
    }
    if row.restart_delay:
        app["restart_delay"] = _milliseconds(row.restart_delay)
    elif row.restarts:
        app["exp_backoff_restart_delay"] = _FIRST_PAUSE_MS
    if row.schedule is not None:
        app["cron_restart"] = f"{_SECOND} {row.schedule.split()[0]} * * * *"
    return app


def _milliseconds(duration: timedelta) -> int:
    return round(duration / timedelta(milliseconds=1))
