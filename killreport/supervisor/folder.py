"""Where a fleet keeps what outlives its supervisor."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from killreport.files import make_private_folder
from killreport.home import refuse_anothers_home

# The kernel's limit for the address of a unix socket, its closing zero byte included. Source: unix(7).
MAX_ADDRESS = 108


@dataclass(frozen=True, slots=True)
class FleetFolder:
    """The folder of one fleet; its owner alone may look into it."""

    path: Path

    @classmethod
    def at(cls, home: Path) -> FleetFolder:
        """Return the folder of the fleet at this home, there or not: one, however the way to it is written."""
        return cls(home.resolve() / "fleet")

    @classmethod
    def make(cls, home: Path) -> FleetFolder:
        """Return the folder of the fleet at this home, made where it is missing.

        Raises Refused where root would leave files in somebody else's.
        """
        refuse_anothers_home(home)
        folder = cls.at(home)
        for path in (folder.path, folder.slots, folder.pipes, folder.runs, folder.settings_of("").parent, folder.logs):
            make_private_folder(path)
        return folder

    @property
    def logs(self) -> Path:
        """The folder of what the processes wrote: `backend-out.log` and `backend-error.log`, and so on."""
        return self.path.parent / "logs"

    @property
    def slots(self) -> Path:
        """The folder of slot files."""
        return self.path / "slots"

    @property
    def pipes(self) -> Path:
        """The folder of the pipes that processes write to, and of the pumps' journals."""
        return self.path / "pipes"

    @property
    def runs(self) -> Path:
        """The folder of what is remembered of jobs."""
        return self.path / "runs"

    @property
    def lock(self) -> Path:
        """Held by the one supervisor there may be."""
        return self.path / "supervisor.lock"

    @property
    def wanted(self) -> Path:
        """Which processes are to run."""
        return self.path / "wanted.json"

    @property
    def saved(self) -> Path:
        """What `save` remembered."""
        return self.path / "saved.json"

    @property
    def applied(self) -> Path:
        """The overrides that are in force: what the running processes were started with, or will be."""
        return self.path / "applied.toml"

    @property
    def settings(self) -> Path:
        """The settings that the fleet runs with, all of them."""
        return self.path / "settings.toml"

    def settings_of(self, name: str) -> Path:
        """Return the file of the settings that one process is given."""
        return self.path / "settings" / f"{name}.toml"

    @property
    def control(self) -> Path:
        """The socket that commands are told at."""
        return self._socket("control")

    @property
    def notify_address(self) -> str:
        """NOTIFY_SOCKET of the children: the same for every supervisor of this folder."""
        return str(self._socket("notify"))

    def log(self, name: str, stream: str) -> Path:
        """Return the log of a process's stream, `out` or `error`. The product's own name is left out."""
        return self.logs / f"{name.removeprefix('killreport-')}-{stream}.log"

    def _socket(self, name: str) -> Path:
        path = self.path / f"{name}.sock"
        if len(bytes(path)) < MAX_ADDRESS:
            return path
        # A deep home: a folder of the same owner and mode under a short name leads to the same place.
        short = Path("/tmp") / f"killreport-{hashlib.sha256(bytes(self.path)).hexdigest()[:16]}"  # noqa: S108
        short.mkdir(mode=0o700, exist_ok=True)
        if short.stat().st_uid != self.path.stat().st_uid or short.is_symlink():
            raise PermissionError(13, "belongs to somebody else", str(short))
        return short / f"{name}.sock"
