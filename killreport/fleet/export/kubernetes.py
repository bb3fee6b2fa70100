"""The fleet as Kubernetes manifests.

A file a process, put together by kustomize.
Source: https://kubernetes.io/docs/reference/kubernetes-api/ (1.32 and later).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from killreport.fleet.export.bundle import Bundle, Surroundings, header, started_rows
from killreport.fleet.export.cluster import NAME, SECRET, config_map
from killreport.fleet.export.network import default_deny, dns, policy
from killreport.fleet.export.workloads import cron_job, deployment, disruption_budget, migration, service
from killreport.fleet.export.yaml import Node, documents
from killreport.fleet.table import ProcessRow

MIGRATION_FILE = "migrate.yaml"


def kubernetes_bundle(rows: Sequence[ProcessRow], surroundings: Surroundings) -> Bundle:
    """Return the manifests of these rows. The secrets are in a Secret of the operator's, named and never written."""
    rows = started_rows(rows)
    base = {f"{row.name}.yaml": _manifests(row, surroundings) for row in rows}
    base |= {
        "namespace.yaml": [{"apiVersion": "v1", "kind": "Namespace", "metadata": _namespace()}],
        "config.yaml": [config_map(surroundings)],
        "network.yaml": [default_deny(), dns(), policy("migrate", reaches_stores=True)],
    }
    files = {f"base/{name}": _text(nodes) for name, nodes in base.items()}
    files["base/kustomization.yaml"] = _text([_kustomization(sorted(base), surroundings)])
    files[f"base/{MIGRATION_FILE}"] = _text(
        [migration(surroundings)],
        "Not part of the kustomization: a Job runs once. kubectl create -f this before an update.",
    )
    return Bundle(
        target="kubernetes",
        files=files,
        next_steps="Push the image; kubectl apply -f base/namespace.yaml -f base/config.yaml; "
        f"make the Secret {SECRET}; kubectl create -f base/{MIGRATION_FILE}; then: kubectl apply -k base.",
    )


def _text(nodes: Sequence[Node], *notes: str) -> str:
    return header("kubernetes", *notes) + documents(nodes)


def _namespace() -> Node:
    # The restricted profile refuses pods that could become root or see the node.
    return {"name": NAME, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}


def _kustomization(resources: Sequence[str], surroundings: Surroundings) -> Mapping[str, Node]:
    name, _, tag = surroundings.image.rpartition(":")
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAME,
        "resources": list(resources),
        "images": [{"name": name, "newTag": tag}],
    }


def _manifests(row: ProcessRow, surroundings: Surroundings) -> list[Node]:
    port = surroundings.port(row)
    nodes: list[Node]
    if row.kind == "job":
        nodes = [cron_job(row, surroundings)]
    elif port is None:
        nodes = [deployment(row, surroundings)]
    else:
        nodes = [deployment(row, surroundings), service(row, port), disruption_budget(row)]
    is_site = row.port_setting == "web_port"
    return [
        *nodes,
        policy(
            row.name,
            reaches_stores=not is_site,
            reaches_outside=row.kind != "service",
            reaches_port=surroundings.settings.api_port if is_site else None,
            listens_on=port,
        ),
    ]
