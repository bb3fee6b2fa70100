"""Who may talk to whom in a cluster: nobody, and then what each process needs."""

from __future__ import annotations

from killreport.fleet.export.cluster import NAME, manifest, selector
from killreport.fleet.export.yaml import Node

# PostgreSQL, RabbitMQ without and with TLS, Redis: wherever they are, for their addresses are in the Secret.
STORE_PORTS = (5432, 5672, 5671, 6379)
_HTTPS = 443
_API = "killreport-backend"
_VERSION = "networking.k8s.io/v1"


def default_deny() -> Node:
    """Return the policy that lets no pod of the namespace talk or be talked to."""
    return _of_all("default-deny", {"policyTypes": ["Ingress", "Egress"]})


def dns() -> Node:
    """Return the policy that lets every pod look up names."""
    ports: Node = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    return _of_all("dns", {"policyTypes": ["Egress"], "egress": [{"ports": ports}]})


def policy(
    name: str,
    *,
    reaches_stores: bool = False,
    reaches_outside: bool = False,
    reaches_port: int | None = None,
    listens_on: int | None = None,
) -> Node:
    """Return what the pods of one process may do. reaches_port: of the API. reaches_outside: EVE's public hosts."""
    egress: list[Node] = []
    if reaches_stores:
        egress.append({"ports": [_tcp(port) for port in STORE_PORTS]})
    if reaches_outside:
        egress.append({"ports": [_tcp(_HTTPS)]})
    if reaches_port is not None:
        egress.append({"to": [{"podSelector": selector(_API)}], "ports": [_tcp(reaches_port)]})
    spec: dict[str, Node] = {"policyTypes": ["Ingress", "Egress"], "egress": egress}
    if listens_on is not None:
        # From anywhere: which browsers come in is decided by who publishes the Service.
        spec["ingress"] = [{"ports": [_tcp(listens_on)]}]
    return manifest("NetworkPolicy", _VERSION, name, {"podSelector": selector(name), **spec})


def _of_all(name: str, spec: dict[str, Node]) -> Node:
    """Return a policy of every pod, which is no process's own."""
    return manifest("NetworkPolicy", _VERSION, name, {"podSelector": {}, **spec}) | {
        "metadata": {"name": name, "namespace": NAME}
    }


def _tcp(port: int) -> Node:
    return {"protocol": "TCP", "port": port}
