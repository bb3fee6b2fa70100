"""What an export is made from besides the rows, and what it is: files by name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from killreport.config import PREFIX, LoadedSettings, Settings
from killreport.fleet.secrets import all_secrets
from killreport.fleet.table import ProcessRow

# The first line of each file has it: by this an export knows its own files from those of others.
MARK = "Written by `killreport export"
# A process is replaced in order above its limit and killed at this multiple of it, so that the first comes first.
HARD_LIMIT = 1.25


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Where the fleet is to run. python, user: on a machine. image: in containers.

    changed: the names of the settings that are not left at their defaults, which the files therefore carry.
    """

    settings: Settings
    changed: frozenset[str]
    python: str
    user: str
    image: str

    @classmethod
    def of(cls, loaded: LoadedSettings, *, python: str, user: str, image: str) -> Surroundings:
        """Return the surroundings with these settings; what comes from the environment or the file is carried on."""
        changed = frozenset(name for name, source in loaded.sources.items() if source != "default")
        return cls(settings=loaded.settings, changed=changed, python=python, user=user, image=image)

    @property
    def home(self) -> Path:
        """Return the fleet's home on a machine."""
        return self.settings.home.absolute()

    def environment(self) -> dict[str, str]:
        """Return the variables of the changed settings, without the home and without every secret."""
        return {
            variable(name): as_text(getattr(self.settings, name))
            for name in sorted(self.changed - {"home"} - all_secrets(self.settings))
        }

    def left_out(self) -> list[str]:
        """Return the variables of the changed settings that no file of an export holds, for they are secrets."""
        return [variable(name) for name in sorted(self.changed & all_secrets(self.settings))]

    def container_environment(self) -> dict[str, str]:
        """Return the same as a container needs it: reachable from outside of it, with its home where the image's is."""
        return self.environment() | {
            variable("home"): "/var/lib/killreport",
            variable("host"): "0.0.0.0",  # noqa: S104 - what may reach it is the container network's business
            variable("api_url"): f"http://killreport-backend:{self.settings.api_port}",
            variable("log_format"): "json",
        }

    def port(self, row: ProcessRow) -> int | None:
        """Return the port the process listens on; None for one that does not."""
        return None if row.port_setting is None else int(getattr(self.settings, row.port_setting))


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """An export. files: text by path, relative to the folder. next_steps: what the operator does with them.

    kept: files that belong to the operator and may be in the folder too.
    """

    target: str
    files: Mapping[str, str]
    next_steps: str
    kept: frozenset[str] = field(default_factory=frozenset)


def header(target: str, *lines: str, sign: str = "#") -> str:
    """Return a file's first lines as comments: whose it is, and what else is to be known about it."""
    first = f"{MARK} {target}`; the next export replaces edits."
    return "".join(f"{sign} {line}".rstrip() + "\n" for line in (first, *lines))


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def as_text(value: object) -> str:
    """Return a setting's value as it stands in an environment."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def run_arguments(row: ProcessRow) -> list[str]:
    """Return the arguments of `killreport` that run the process under a manager whose memory limit kills.

    It watches the limit above which it is replaced in order itself. A job does not: it would end half done, as if done.
    """
    return ["run", row.name, *([] if row.kind == "job" else ["--memory-limit", str(row.memory_limit_mb)])]


def started_rows(rows: Sequence[ProcessRow]) -> list[ProcessRow]:
    """Return the rows that a process manager has to start: all but jobs without a schedule, which people run."""
    return [row for row in rows if row.kind != "job" or row.schedule is not None]


def hard_limit_mb(row: ProcessRow) -> int:
    """Return at how many MB the process is killed by the kernel."""
    return math.ceil(row.memory_limit_mb * HARD_LIMIT)


def full_name(row: ProcessRow) -> str:
    """Return the process's name where it stands beside those of other products."""
    return row.name if row.name.startswith("killreport-") else f"killreport-{row.name}"


def needs_stores(row: ProcessRow) -> bool:
    """Tell whether the process uses the database, the broker or Redis; the site asks the API alone."""
    return row.port_setting != "web_port"
