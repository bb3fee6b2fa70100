"""Every export of the fleet as it is kept in `golden`, and how it is written anew.

After a change that is meant: `python -m tests.unit.fleet.exports`, then read the difference.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from killreport.config import load_settings
from killreport.fleet.export.bundle import Bundle, Surroundings
from killreport.fleet.export.compose import compose_bundle
from killreport.fleet.export.kubernetes import kubernetes_bundle
from killreport.fleet.export.pm2 import pm2_bundle
from killreport.fleet.export.systemd import systemd_bundle
from killreport.fleet.table import FLEET, ProcessRow

GOLDEN = Path(__file__).parent / "golden"
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


def bundle(target: str, rows: Sequence[ProcessRow] = FLEET, **changes: str) -> Bundle:
    """Return the export to the target, of the whole fleet unless other rows are given."""
    return MAKERS[target](rows, surroundings(**changes))


def write_golden() -> None:
    """Write every export into `golden`, and nothing else."""
    for target in MAKERS:
        shutil.rmtree(GOLDEN / target, ignore_errors=True)
        for name, text in bundle(target).files.items():
            path = GOLDEN / target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_golden()
