"""Every export of the fleet, of an installation with a few settings of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from killreport.config import load_settings
from killreport.fleet.export.bundle import Bundle, Surroundings
from killreport.fleet.export.compose import compose_bundle
from killreport.fleet.export.kubernetes import kubernetes_bundle
from killreport.fleet.export.pm2 import pm2_bundle
from killreport.fleet.export.systemd import systemd_bundle
from killreport.fleet.table import FLEET, ProcessRow

SECRET = "hunter2"
MAKERS: dict[str, Callable[[Sequence[ProcessRow], Surroundings], Bundle]] = {
    "pm2": pm2_bundle,
    "systemd": systemd_bundle,
    "compose": compose_bundle,
    "kubernetes": kubernetes_bundle,
}


def surroundings(**changes: str) -> Surroundings:
    """Return those of an installation with a few settings of its own, the secrets among them."""
    environment = {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_DATABASE_URL": f"postgresql://killreport:{SECRET}@db.example.org/killreport",
        "KILLREPORT_BROKER_URL": f"amqp://killreport:{SECRET}@mq.example.org/",
        "KILLREPORT_REDIS_URL": f"redis://:{SECRET}@redis.example.org/0",
        "KILLREPORT_CONTACT": 'a "quoted" 100 % $HOME\\name',
        "KILLREPORT_WARM_START": "false",
        **changes,
    }
    return Surroundings.of(
        load_settings(environment),
        python="/opt/killreport/bin/python",
        user="killreport",
        image="registry.example.org:5000/killreport:1.2.3",
    )


def bundle(target: str, rows: Sequence[ProcessRow] | None = None, **changes: str) -> Bundle:
    """Return the export to the target, of the whole fleet unless other rows are given."""
    if rows is None and not changes:
        return _whole_fleet(target)
    return MAKERS[target](FLEET if rows is None else rows, surroundings(**changes))


@cache
def _whole_fleet(target: str) -> Bundle:
    return MAKERS[target](FLEET, surroundings())
