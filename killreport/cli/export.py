"""`killreport export`: the same fleet for PM2, systemd, Docker Compose or Kubernetes; what is stored for analysts."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from killreport import __version__
from killreport.cli.data.export_rows import VIEWS, command_of
from killreport.cli.output.options import AsJson
from killreport.cli.output.plain import print_answer
from killreport.config import load_settings
from killreport.fleet.overrides import fleet_rows
from killreport.fleet.table import ProcessRow

if TYPE_CHECKING:
    from killreport.fleet.export.bundle import Bundle, Surroundings

Folder = Annotated[Path, typer.Argument(help="Folder to write to; created if missing.", metavar="DIR")]
Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Write even if DIR has files that are not from this export; those in the way are replaced."
    ),
]
Image = Annotated[str, typer.Option("--image", help="Name and tag of the image you built.", metavar="NAME:TAG")]

# Source: systemd's page on the syntax of user names, https://systemd.io/USER_NAMES/ (the strict mode).
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_IMAGE = f"killreport:{__version__}"

app = typer.Typer(no_args_is_help=True)


@app.callback()
def export() -> None:
    """Export the fleet for another process manager, or the stored data for analysts.

    Memory limits, time-outs and schedules are included, and so are settings that are not at their defaults; secrets
    never are. A second export changes only what differs.

    Examples: killreport export systemd ./units; killreport export kubernetes ./k8s --image ghcr.io/me/killreport:1;
    killreport export killmails --from 2021-11-27
    """


for _view, _help in VIEWS.items():
    app.command(_view, help=_help)(command_of(_view))


@app.command()
def pm2(folder: Folder, force: Force = False, as_json: AsJson = False) -> None:
    """Write an ecosystem file for PM2 7. Example: killreport export pm2 ./pm2 && pm2 start ./pm2/ecosystem.config.js"""
    from killreport.fleet.export.pm2 import pm2_bundle

    _export(
        pm2_bundle, folder, force=force, as_json=as_json, place=" They belong into killreport.toml in the home folder."
    )


@app.command()
def systemd(
    folder: Folder,
    user: Annotated[str, typer.Option("--user", help="User to run the processes as.", metavar="NAME")] = "killreport",
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write systemd services, sockets, timers, a target and a slice.

    Example: killreport export systemd ./units --user killreport
    """
    from killreport.fleet.export.systemd import systemd_bundle

    _export(systemd_bundle, folder, force=force, as_json=as_json, user=user)


@app.command()
def compose(folder: Folder, image: Image = _IMAGE, force: Force = False, as_json: AsJson = False) -> None:
    """Write a Compose project with PostgreSQL, RabbitMQ and Redis. Example: killreport export compose ./killreport"""
    from killreport.fleet.export.compose import compose_bundle

    _export(compose_bundle, folder, force=force, as_json=as_json, image=image)


@app.command()
def kubernetes(folder: Folder, image: Image = _IMAGE, force: Force = False, as_json: AsJson = False) -> None:
    """Write Kubernetes manifests for kubectl apply -k. Example: killreport export kubernetes ./k8s"""
    from killreport.fleet.export.kubernetes import kubernetes_bundle

    _export(kubernetes_bundle, folder, force=force, as_json=as_json, image=image)


def _export(
    make: Callable[[Sequence[ProcessRow], Surroundings], Bundle],
    folder: Path,
    *,
    force: bool,
    as_json: bool,
    user: str = "killreport",
    image: str = _IMAGE,
    place: str = "",
) -> None:
    """Write the bundle and tell what became of it. place: a sentence on where secrets go, where no file says so."""
    from killreport.errors import Refused
    from killreport.fleet.export.bundle import Surroundings
    from killreport.fleet.export.writing import write_bundle

    if not _USER.fullmatch(user):
        raise Refused(f"--user {user!r} is not a name of a user.")
    if "/" in image.rpartition(":")[2] or not image.rpartition(":")[0]:
        raise Refused(f"--image {image} has no version; give it as NAME:TAG, so that every host runs the same.")
    loaded = load_settings()
    rows = [row for row in fleet_rows(loaded.settings.home) if row.is_enabled]
    surroundings = Surroundings.of(loaded, python=sys.executable, user=user, image=image)
    bundle = make(rows, surroundings)
    changes = write_bundle(bundle, folder, force=force)
    left_out = surroundings.left_out()
    told = {"target": bundle.target, "folder": str(folder), "files": changes, "secrets_left_out": left_out}
    lines = [f"  {change.change:10} {folder / change.path}" for change in changes]
    if left_out:
        lines.append(f"Left out, for they are secrets: {', '.join(left_out)}.{place}")
    print_answer(told, "\n".join([*lines, bundle.next_steps]), as_json=as_json)
