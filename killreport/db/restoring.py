"""Bringing a dump back into a server that may be older than the programs that wrote it.

`pg_restore` of an older PostgreSQL does not read a newer one's file, and a newer one's begins its script with settings
that an older server does not know. So the newest programs there are read the file and speak to the server, and what a
server does not know is left out of the script's head. Nothing else is changed: whatever else it does not understand
fails, with its words, and nothing is restored.

Out of the file stays what is in the database already, or is another's: a schema that is there (`db reset` leaves the
one of the views for analysts, which somebody else may have had to make), and the comments on extensions, which their
owners alone may write. All other comments come back.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

# Since which version of the server each setting of the head is known.
KNOWN_SINCE = {"transaction_timeout": 17, "default_table_access_method": 12, "idle_in_transaction_session_timeout": 10}
# A head has some 15 lines.
MAX_HEAD_LINES = 200
CHUNK_BYTES = 2**18

_SETTING = re.compile(rb"SET (\w+) = .*;\s*$")
# What may stand in the head: settings, comments, blank lines, psql's own commands and the emptying of the search path.
_HEAD = re.compile(rb"(SET |--|\s*$|\\(un)?restrict |SELECT pg_catalog\.set_config\()")
# A line of pg_restore's list: numbers, what it is, in which schema, its name, its owner; both may have blanks.
_ENTRY = re.compile(r"\d+; \d+ \d+ (?:COMMENT - )?SCHEMA (?:- )?(?P<rest>.+)")
_EXTENSION_COMMENT = re.compile(r"\d+; \d+ \d+ COMMENT - EXTENSION ")


def fitting_entries(listed: str, schemas: Collection[str]) -> str:
    """Return pg_restore's list of what a dump holds, without what is not to be restored.

    schemas: those that are in the database already.
    """
    return "".join(line for line in listed.splitlines(keepends=True) if _is_wanted(line, schemas))


def _is_wanted(line: str, schemas: Collection[str]) -> bool:
    schema = _ENTRY.match(line)
    is_there = schema is not None and any(schema["rest"].startswith(f"{name} ") for name in schemas)
    return not is_there and _EXTENSION_COMMENT.match(line) is None


def fitting_script(script: IO[bytes], server: int) -> Iterator[bytes]:
    """Yield a script of pg_restore's in pieces, without the settings of its head that the server does not know.

    server: its major version. Only the head is looked at, so a row that looks like a setting stays what it is.
    """
    for _ in range(MAX_HEAD_LINES):
        line = script.readline()
        if not line:
            return
        setting = _SETTING.match(line)
        if setting is None or KNOWN_SINCE.get(setting[1].decode(), 0) <= server:
            yield line
        if not _HEAD.match(line):
            break
    while piece := script.read(CHUNK_BYTES):
        yield piece


def restore_script(
    reader: str,
    shell: Sequence[str],
    path: Path,
    server: int,
    environment: Mapping[str, str],
    *,
    schemas: Collection[str] = (),
) -> int:
    """Have `reader` (pg_restore) read the dump and `shell` (psql with where to) run it; return the exit status.

    In one transaction: a dump that cannot be read to its end, or of which a statement fails, leaves nothing behind.
    schemas: those that are in the database already.
    """
    listing = subprocess.run([reader, "--list", str(path)], stdout=subprocess.PIPE, check=False)  # noqa: S603
    if listing.returncode:
        return listing.returncode
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", errors="surrogateescape") as entries:
        entries.write(fitting_entries(listing.stdout.decode("utf-8", "surrogateescape"), schemas))
        entries.flush()
        reading = [reader, "--no-owner", "--no-privileges", f"--use-list={entries.name}", "--file=-", str(path)]
        return _run(reading, shell, server, environment)


def _run(reading: Sequence[str], shell: Sequence[str], server: int, environment: Mapping[str, str]) -> int:
    running = [*shell, "--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1", "--single-transaction"]
    with (
        subprocess.Popen(reading, stdout=subprocess.PIPE) as read,  # noqa: S603 - PostgreSQL's programs, our arguments
        subprocess.Popen(  # noqa: S603
            [*running, "--file=-"], stdin=subprocess.PIPE, env=dict(environment)
        ) as run,
    ):
        assert read.stdout is not None  # a pipe was asked for
        assert run.stdin is not None
        try:
            for piece in fitting_script(read.stdout, server):
                run.stdin.write(piece)
            if status := read.wait():
                # At the end of what it is given psql would commit.
                _give_up(run)
                return status
            run.stdin.close()
        except BrokenPipeError:
            read.kill()  # psql ended before, and has said why
            _give_up(run)
            return run.wait() or 1
        except BaseException:
            read.kill()
            _give_up(run)
            raise
        return run.wait()


def _give_up(run: subprocess.Popen[bytes]) -> None:
    """End a psql that shall not commit, and throw away what it has not read."""
    run.kill()
    if run.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            run.stdin.close()
