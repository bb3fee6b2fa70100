"""What runs in a cluster: Deployments, CronJobs of the jobs, and the Job that upgrades the schema."""

from __future__ import annotations

import math
from datetime import timedelta

from killreport.fleet.export.bundle import Surroundings, hard_limit_mb, run_arguments
from killreport.fleet.export.cluster import NAME, labels, manifest, pod_spec, pod_template, selector
from killreport.fleet.export.yaml import Node
from killreport.fleet.secrets import secrets_of
from killreport.fleet.table import ProcessRow

# From being taken off the list of endpoints to SIGTERM: the time in which proxies hear of it.
PRE_STOP_SECONDS = 5
_PROBE_SECONDS = 5
# The API's health is the database's, and the site's is the API's. Ten minutes of neither are not mended by a restart of
# all pods, one that hangs is: so a pod is out of service at once, and restarted late.
_LIVENESS_FAILURES = 120
# A run that could not begin within this time is left out; the next one does its work.
_STARTING_DEADLINE = timedelta(hours=1)
_DAY = timedelta(days=1)


def deployment(row: ProcessRow, surroundings: Surroundings) -> Node:
    """Return the Deployment of a service or worker; one that must be alone is replaced with a gap."""
    container: dict[str, Node] = {}
    grace = _seconds(row.kill_timeout)
    port = surroundings.port(row)
    if port is not None:
        container |= _probes(row, port)
        grace += PRE_STOP_SECONDS
    pod = _pod(row, surroundings, **container)
    spec: dict[str, Node] = {
        "selector": selector(row.name),
        "strategy": {"type": "Recreate"}
        if row.is_single
        else {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": pod_template(row.name, {"terminationGracePeriodSeconds": grace, **pod}),
    }
    # Of a worker that the cluster may scale the number is not this file's: applying it again would undo the scaling.
    if row.is_single or row.queue is None:
        spec = {"replicas": 1 if row.kind == "worker" else 2, **spec}
    return manifest("Deployment", "apps/v1", row.name, spec)


def service(row: ProcessRow, port: int) -> Node:
    """Return the name under which a service is found."""
    ports: Node = [{"name": "http", "port": port, "targetPort": "http"}]
    return manifest("Service", "v1", row.name, {"selector": labels(row.name), "ports": ports})


def disruption_budget(row: ProcessRow) -> Node:
    """Return the promise that one pod of a service stays while nodes are emptied."""
    return manifest("PodDisruptionBudget", "policy/v1", row.name, {"minAvailable": 1, "selector": selector(row.name)})


def cron_job(row: ProcessRow, surroundings: Surroundings) -> Node:
    """Return the CronJob of a job. Kubernetes may run one twice or not at all; the jobs bear both."""
    pod = _pod(row, surroundings)
    limit: dict[str, Node] = {} if row.time_limit is None else {"activeDeadlineSeconds": _seconds(row.time_limit)}
    grace: dict[str, Node] = {"terminationGracePeriodSeconds": _seconds(row.kill_timeout)}
    template = pod_template(row.name, {"restartPolicy": "Never", **grace, **pod})
    spec: Node = {
        "schedule": row.schedule,
        "timeZone": "Etc/UTC",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": _seconds(_STARTING_DEADLINE),
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {"spec": {"backoffLimit": 1, **limit, "template": template}},
    }
    return manifest("CronJob", "batch/v1", row.name, spec)


def migration(surroundings: Surroundings) -> Node:
    """Return the Job that brings the schema to this release's."""
    pod = pod_spec("migrate", ["db", "upgrade"], surroundings, secrets=secrets_of(None, surroundings.settings))
    # kustomize, which names the image's version in the base, does not see this file.
    pod["containers"] = [{**container, "image": surroundings.image} for container in _containers(pod)]
    spec: Node = {
        "backoffLimit": 3,
        "ttlSecondsAfterFinished": _seconds(_DAY),
        "template": pod_template("migrate", {"restartPolicy": "OnFailure", **pod}),
    }
    metadata: Node = {"generateName": "migrate-", "namespace": NAME, "labels": labels("migrate")}
    return manifest("Job", "batch/v1", "migrate", spec) | {"metadata": metadata}


def _containers(pod: dict[str, Node]) -> list[dict[str, Node]]:
    containers = pod["containers"]
    assert isinstance(containers, list)
    return [dict(container) for container in containers]


def _pod(row: ProcessRow, surroundings: Surroundings, **container: Node) -> dict[str, Node]:
    resources: Node = {
        "requests": {"cpu": "50m", "memory": f"{row.memory_limit_mb // 4}Mi"},
        "limits": {"memory": f"{hard_limit_mb(row)}Mi"},
    }
    secrets = secrets_of(row, surroundings.settings)
    return pod_spec(row.name, run_arguments(row), surroundings, secrets=secrets, resources=resources, **container)


def _probes(row: ProcessRow, port: int) -> dict[str, Node]:
    every: dict[str, Node] = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": _PROBE_SECONDS}
    start_failures = math.ceil(row.ready_timeout.total_seconds() / _PROBE_SECONDS)
    return {
        "ports": [{"name": "http", "containerPort": port}],
        "startupProbe": {**every, "failureThreshold": start_failures},
        "readinessProbe": {**every, "timeoutSeconds": _PROBE_SECONDS, "failureThreshold": 2},
        "livenessProbe": {**every, "timeoutSeconds": _PROBE_SECONDS, "failureThreshold": _LIVENESS_FAILURES},
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", str(PRE_STOP_SECONDS)]}}},
    }


def _seconds(duration: timedelta) -> int:
    return math.ceil(duration.total_seconds())
