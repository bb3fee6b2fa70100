"""Workers scaled by how much waits on their queues, as far as ESI's budget makes more of them useful.

Source: https://keda.sh/docs/latest/scalers/rabbitmq-queue/ (HTTP protocol: the management API, which also counts the
messages that a consumer has in hand; over AMQP a prefetching worker hides them).
"""

from __future__ import annotations

import math

from killreport.fleet.export.bundle import Surroundings
from killreport.fleet.export.cluster import NAME, SECRET, metadata
from killreport.fleet.export.yaml import Node
from killreport.fleet.table import ProcessRow

# How long ESI takes for one answer, at most times. Little's law: the budget keeps (requests a second x this) requests
# under way, and a worker has as many under way as its prefetch.
ESI_SECONDS = 0.25
# So many messages waiting are worth one more worker.
_MESSAGES_PER_REPLICA = 1000
_AUTHENTICATION = "rabbitmq-http"
# The key of the Secret with RabbitMQ's management address: http://user:password@host:15672/vhost
HTTP_KEY = "broker_http_url"


def may_scale(row: ProcessRow) -> bool:
    """Tell whether there may be several of the process, each taking messages of the same queue."""
    return row.kind == "worker" and row.queue is not None and not row.is_single


def most_replicas(row: ProcessRow, requests_per_second: float) -> int:
    """Return how many workers keep the whole budget of ESI busy; one more would only wait."""
    return max(1, math.ceil(requests_per_second * ESI_SECONDS / row.prefetch))


def scaled_object(row: ProcessRow, surroundings: Surroundings) -> tuple[Node, tuple[str, ...]]:
    """Return the ScaledObject of a worker that may scale, and the comment that explains its bound."""
    rate = surroundings.settings.esi_requests_per_second
    bound = most_replicas(row, rate)
    node: Node = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": metadata(row.name),
        "spec": {
            "scaleTargetRef": {"name": row.name},
            "minReplicaCount": min(row.instances, bound),
            "maxReplicaCount": bound,
            "triggers": [
                {
                    "type": "rabbitmq",
                    "metadata": {
                        "protocol": "http",
                        "queueName": str(row.queue),
                        "mode": "QueueLength",
                        "value": str(_MESSAGES_PER_REPLICA),
                        "excludeUnacknowledged": "false",
                    },
                    "authenticationRef": {"name": _AUTHENTICATION},
                }
            ],
        },
    }
    return node, (
        f"maxReplicaCount {bound} = {rate:g} requests/s of ESI's budget x {ESI_SECONDS} s an answer",
        f"/ prefetch {row.prefetch}, rounded up: so many use up the budget that all share, more would only wait.",
    )


def trigger_authentication() -> Node:
    """Return where KEDA finds RabbitMQ's management API: in the operator's Secret."""
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "TriggerAuthentication",
        "metadata": {"name": _AUTHENTICATION, "namespace": NAME},
        "spec": {"secretTargetRef": [{"parameter": "host", "name": SECRET, "key": HTTP_KEY}]},
    }
