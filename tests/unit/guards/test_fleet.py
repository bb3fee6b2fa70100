"""The table of processes, what runs them, and what the package metadata promises agree."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from importlib import import_module

from killreport.cli.processes.run import SERVICES
from killreport.fleet.entries import entry_of
from killreport.fleet.table import FLEET


def entries(kind: str) -> list[Callable[..., object]]:
    """Return what runs for each process of that kind."""
    places = [entry_of(row) for row in FLEET if row.kind == kind]
    return [getattr(import_module(module), function) for module, function in places]


WORKERS, JOBS = entries("worker"), entries("job")


def test_every_service_of_the_fleet_can_be_run_and_nothing_else() -> None:
    assert sorted(SERVICES) == sorted(row.name for row in FLEET if row.kind == "service")


def test_every_worker_and_job_of_the_fleet_has_the_same_entry() -> None:
    for run in WORKERS + JOBS:
        assert inspect.iscoroutinefunction(run)
        assert list(inspect.signature(run).parameters)[:2] == ["settings", "database"]


def test_every_worker_can_be_told_to_stop_and_to_end_when_nothing_is_left() -> None:
    for run in WORKERS:
        parameters = inspect.signature(run).parameters
        assert all(parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in ("stop", "once"))


def test_both_services_have_an_application() -> None:
    services = {"killreport-backend": "killreport.api.app", "killreport-frontend": "killreport.web.app"}

    assert sorted(services) == sorted(row.name for row in FLEET if row.kind == "service")
    assert all(callable(import_module(module).create_app) for module in services.values())


def test_names_are_unique_and_plain() -> None:
    names = [row.name for row in FLEET]

    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(-[a-z]+)+", name)] == []
