"""The table of processes, what runs them, and what the package metadata promises agree."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from importlib.util import find_spec

from killreport.cli.processes.run import SERVICES, module_of
from killreport.fleet.table import FLEET, ProcessRow


def find_spec_of(row: ProcessRow) -> bool:
    """Whether the row's program is written: the table names all seventeen from the start."""
    return find_spec(module_of(row)) is not None


WORKERS = [module_of(row) for row in FLEET if row.kind == "worker" and find_spec_of(row)]
JOBS = [module_of(row) for row in FLEET if row.kind == "job" and find_spec_of(row)]


def test_every_service_of_the_fleet_can_be_run_and_nothing_else() -> None:
    assert sorted(SERVICES) == sorted(row.name for row in FLEET if row.kind == "service")


def test_every_worker_and_job_of_the_fleet_has_a_module_with_the_same_entry() -> None:
    for module in WORKERS + JOBS:
        run = import_module(module).run
        assert inspect.iscoroutinefunction(run)
        assert list(inspect.signature(run).parameters)[:2] == ["settings", "database"]


def test_every_workers_module_can_be_told_to_stop_and_to_end_when_nothing_is_left() -> None:
    for module in WORKERS:
        parameters = inspect.signature(import_module(module).run).parameters
        assert all(parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in ("stop", "once"))


def test_both_services_have_an_application() -> None:
    services = {"killreport-backend": "killreport.api.app", "killreport-frontend": "killreport.web.app"}

    assert sorted(services) == sorted(row.name for row in FLEET if row.kind == "service")
    assert all(callable(import_module(module).create_app) for module in services.values())


def test_names_are_unique_and_plain() -> None:
    names = [row.name for row in FLEET]

    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(-[a-z]+)+", name)] == []
