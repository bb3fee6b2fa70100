"""What every Kubernetes object of the fleet has: names, labels, settings by reference, and a pod without rights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from killreport.fleet.export.bundle import Surroundings, variable
from killreport.fleet.export.yaml import Node

# Of the namespace, the ConfigMap and the Secret.
NAME = "killreport"
SECRET = "killreport"  # noqa: S105 - an object's name
CONFIG = "killreport"
# The image's user; the same as in the Dockerfile.
USER_ID = 10001
_NEEDED = ("database_url", "fleet_secret")


def manifest(kind: str, version: str, name: str, spec: Node) -> dict[str, Node]:
    """Return an object that belongs to one process. version: of its part of the API."""
    metadata: Node = {"name": name, "namespace": NAME, "labels": labels(name)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def labels(name: str) -> Node:
    """Return what the objects of a process are found by."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": NAME}


def selector(name: str) -> Node:
    """Return what fits the pods of a process."""
    return {"matchLabels": labels(name)}


def pod_template(name: str, spec: Mapping[str, Node]) -> Node:
    """Return from what the pods of a process are made."""
    return {"metadata": {"labels": labels(name)}, "spec": spec}


def config_map(surroundings: Surroundings) -> Node:
    """Return the settings that are no secrets."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": CONFIG, "namespace": NAME},
        "data": dict(surroundings.container_environment()),
    }


def pod_spec(
    name: str, arguments: Sequence[Node], surroundings: Surroundings, *, secrets: Sequence[str], **container: Node
) -> dict[str, Node]:
    """Return the pod of one container that runs `killreport` with these arguments.

    secrets: the settings it is given from the Secret. container: more of its fields.
    """
    environment: dict[str, Node] = {}
    if secrets:
        environment["env"] = [
            {
                "name": variable(setting),
                # An absent key leaves the setting unset; what a pod would otherwise make and keep must be given.
                "valueFrom": {"secretKeyRef": {"name": SECRET, "key": setting, "optional": setting not in _NEEDED}},
            }
            for setting in secrets
        ]
    return {
        "automountServiceAccountToken": False,
        # Kubernetes would add KILLREPORT_BACKEND_PORT and the like, which are no settings and stop the start.
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER_ID,
            "runAsGroup": USER_ID,
            "fsGroup": USER_ID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": name,
                "image": surroundings.image.rpartition(":")[0],
                "args": list(arguments),
                "envFrom": [{"configMapRef": {"name": CONFIG}}],
                **environment,
                **container,
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "home", "mountPath": "/var/lib/killreport"},
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the container's own
                ],
            }
        ],
        "volumes": [{"name": "home", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
    }
