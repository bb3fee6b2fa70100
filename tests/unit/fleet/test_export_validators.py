"""The targets' own checkers find nothing wrong with the exports."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from killreport.fleet.export.systemd import systemd_bundle
from killreport.fleet.export.writing import write_bundle
from killreport.fleet.table import FLEET
from tests.programs import find_program
from tests.unit.fleet.exports import bundle, surroundings

MIN_KUBERNETES = "1.32"


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    program = find_program("systemd-analyze")
    # The checker wants a program that is there and may be run.
    here = dataclasses.replace(surroundings(), python=sys.executable)
    write_bundle(systemd_bundle(FLEET, here), tmp_path)
    units = sorted(path for path in tmp_path.iterdir() if path.suffix != ".example")
    done = subprocess.run([program, "verify", *map(str, units)], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "killreport" in line] == []
    assert len(units) == 2 + 2 + len(FLEET) + sum(row.kind == "job" for row in FLEET)


def test_systemd_reports_a_unit_that_is_wrong(tmp_path: Path) -> None:
    program = find_program("systemd-analyze")
    broken = bundle("systemd").files["killreport-queue-alliances.timer"].replace("00:00:00 UTC", "25:00:00 UTC")
    (tmp_path / "killreport-queue-alliances.timer").write_text(broken)
    done = subprocess.run(
        [program, "verify", str(tmp_path / "killreport-queue-alliances.timer")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "killreport-queue-alliances.timer" in done.stderr


def test_kubernetes_finds_nothing_wrong() -> None:
    kinds = []
    for name, text in bundle("kubernetes").files.items():
        if name.endswith("kustomization.yaml"):
            continue
        for node in yaml.safe_load_all(text):
            kinds.append(node["kind"])
            kubernetes_validate.validate(node, MIN_KUBERNETES, strict=True)
    assert set(kinds) == {
        "ConfigMap",
        "CronJob",
        "Deployment",
        "Job",
        "Namespace",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
    }


def test_kubernetes_reports_a_manifest_that_is_wrong() -> None:
    [node] = yaml.safe_load_all(bundle("kubernetes").files["base/config.yaml"])
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**node, "date": {}}, MIN_KUBERNETES, strict=True)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_puts_everything_together(tmp_path: Path) -> None:
    write_bundle(bundle("kubernetes"), tmp_path)
    done = subprocess.run(["kubectl", "kustomize", str(tmp_path / "base")], capture_output=True, text=True, check=True)
    nodes = list(yaml.safe_load_all(done.stdout))
    # A workload and a policy a process; a Service and a budget a service; the namespace, the settings, three policies.
    assert len(nodes) == 2 * len(FLEET) + 2 * 2 + 5
    images = {
        container["image"]
        for node in nodes
        if node["kind"] == "Deployment"
        for container in node["spec"]["template"]["spec"]["containers"]
    }
    assert images == {"registry.example.org:5000/killreport:1.2.3"}


def test_node_loads_the_ecosystem_file(tmp_path: Path) -> None:
    program = find_program("node")
    write_bundle(bundle("pm2"), tmp_path)
    script = "console.log(JSON.stringify(require(process.argv[1])))"
    done = subprocess.run(
        [program, "-e", script, str(tmp_path / "ecosystem.config.js")], capture_output=True, text=True, check=True
    )
    apps = json.loads(done.stdout)["apps"]
    assert [app["name"] for app in apps] == [row.name for row in FLEET]
    assert apps[0]["env"]["KILLREPORT_CONTACT"] == 'a "quoted" 100 % $HOME\\name'
